// SPDX-License-Identifier: Apache-2.0
#include "server/call_gate.h"

#include <exception>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "server/grpc_status.h"

namespace candor {

CallGate::CallGate(const ServingContext& serving, Authorizer* authorizer)
    : serving_(serving),
      authorizer_(authorizer),
      request_id_prefix_(absl::StrCat(absl::Hex(std::random_device()(), absl::kZeroPad8))) {}

RequestIdentity CallGate::Identify(const grpc::CallbackServerContext& context) {
  const auto values = [&context](const char* header) {
    std::vector<absl::string_view> found;
    const auto range = context.client_metadata().equal_range(header);
    for (auto it = range.first; it != range.second; ++it) found.emplace_back(it->second.data(), it->second.size());
    return found;
  };
  return IdentifyRequest(values(kRequestIdHeader), values(kTraceparentHeader),
                         absl::StrCat(request_id_prefix_, absl::Hex(request_count_.fetch_add(1) + 1, absl::kZeroPad8)));
}

RequestIdentity CallGate::IdentifyStream(grpc::CallbackServerContext* context) {
  RequestIdentity identity = Identify(*context);
  context->AddInitialMetadata(kRequestIdHeader, identity.request_id);
  return identity;
}

grpc::ServerUnaryReactor* CallGate::Answer(grpc::CallbackServerContext* context, const Method& method,
                                           const std::function<absl::Status(std::string* model)>& answer) {
  const auto start = std::chrono::steady_clock::now();
  const RequestIdentity identity = Identify(*context);
  std::string model(Metrics::kNoModel);
  serving_.metrics.RequestStarted();
  absl::Status status = Authorize(*context, method.role);
  try {
    if (status.ok() && !method.also_while_draining) status = serving_.admission.CheckOpen();
    if (status.ok()) status = answer(&model);
  } catch (const std::exception& e) {
    status = absl::InternalError(absl::StrCat("unexpected failure: ", e.what()));
  }
  Record(method, identity, model, context->peer(), start, status);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(EndOfCall(context, status, identity.request_id));
  return reactor;
}

grpc::ServerUnaryReactor* CallGate::AnswerLater(grpc::CallbackServerContext* context, const Method& method,
                                                const std::function<void(End end)>& work) {
  const auto start = std::chrono::steady_clock::now();
  const RequestIdentity identity = Identify(*context);
  const std::string peer = context->peer();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  serving_.metrics.RequestStarted();
  const End end = [this, method, identity, peer, start, context, reactor](const absl::Status& status) {
    Record(method, identity, std::string(Metrics::kNoModel), peer, start, status);
    reactor->Finish(EndOfCall(context, status, identity.request_id));
  };
  const absl::Status allowed = Authorize(*context, method.role);
  if (allowed.ok()) {
    work(end);
  } else {
    end(allowed);
  }
  return reactor;
}

void CallGate::Record(const Method& method, const RequestIdentity& identity, const std::string& model,
                      const std::string& peer, std::chrono::steady_clock::time_point start,
                      const absl::Status& status) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  serving_.metrics.RequestFinished(method.name, model, status.code(), seconds);
  LogInfo("request", {{"request_id", identity.request_id},
                      {"trace_id", identity.trace.trace_id},
                      {"parent_id", identity.trace.parent_id},
                      {"method", method.name},
                      {"peer", peer},
                      {"model", model},
                      {"code", absl::StatusCodeToString(status.code())},
                      {"error", status.message()},
                      {"total_ms", seconds * 1000}});
}

}  // namespace candor
