// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "security/authorizer.h"
#include "server/request_identity.h"
#include "server/segment_task.h"

namespace candor {

// What every call of every service passes first: which request it is, and whether its caller may. Thread-safe.
class CallGate {
 public:
  struct Method {
    absl::string_view name;  // a constant, for metrics and the log
    Role role = Role::kInfer;
    bool also_while_draining = false;
  };

  using End = std::function<void(const absl::Status&)>;

  // All is borrowed.
  CallGate(const ServingContext& serving, Authorizer* authorizer);

  // By the call's metadata. The id goes back by EndOfCall or, from a stream, at once as a header.
  RequestIdentity Identify(const grpc::CallbackServerContext& context);
  RequestIdentity IdentifyStream(grpc::CallbackServerContext* context);

  // Errors of Authorizer::Check.
  absl::Status Authorize(const grpc::ServerContextBase& context, Role role) {
    return authorizer_->Check(context, role);
  }

  // Identifies, authorizes and answers at once, from memory, counted and logged. `answer` returns the status and sets
  // the metrics' model label.
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const Method& method,
                                   const std::function<absl::Status(std::string* model)>& answer);

  // The same for a call that takes its time: lets `work` run for a caller who may. It calls `end` once, from any
  // thread.
  grpc::ServerUnaryReactor* AnswerLater(grpc::CallbackServerContext* context, const Method& method,
                                        const std::function<void(End end)>& work);

 private:
  void Record(const Method& method, const RequestIdentity& identity, const std::string& model, const std::string& peer,
              std::chrono::steady_clock::time_point start, const absl::Status& status);

  const ServingContext& serving_;
  Authorizer* const authorizer_;
  const std::string request_id_prefix_;  // random, so that ids of two servers or two runs differ
  std::atomic<uint32_t> request_count_{0};
};

}  // namespace candor
