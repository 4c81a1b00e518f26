// SPDX-License-Identifier: Apache-2.0
#include "client/training_client.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "candor/v1/training.grpc.pb.h"
#include "client/grpc_status.h"
#include "client/one_server.h"
#include "core/base/status_macros.h"
#include "core/base/text_proto.h"

namespace candor {
namespace {

using Stub = v1::Training::Stub;

// RUN_STATE_QUEUED to "queued"; a state that a newer service may have, to its number.
std::string StateName(v1::RunState state) {
  absl::string_view name = v1::RunState_Name(state);
  if (!absl::ConsumePrefix(&name, "RUN_STATE_")) return absl::StrCat(static_cast<int>(state));
  return absl::AsciiStrToLower(name);
}

TrainingRun ReadRun(const v1::Run& message) {
  TrainingRun run;
  run.name = message.name();
  run.state = StateName(message.state());
  run.has_ended = message.state() == v1::RUN_STATE_SUCCEEDED || message.state() == v1::RUN_STATE_FAILED ||
                  message.state() == v1::RUN_STATE_CANCELLED;
  run.message = message.message();
  run.directory = message.directory();
  run.executor = message.executor();
  run.create_time_ms = message.create_time_ms();
  run.start_time_ms = message.start_time_ms();
  run.end_time_ms = message.end_time_ms();
  run.starts = message.starts();
  run.progress = message.progress();
  for (const v1::TrainingProgress& training : message.trainings()) {
    run.trainings.push_back({training.name(), training.is_done(), training.step(), training.steps(), training.loss(),
                             training.images_per_second(), training.validation_miou()});
  }
  return run;
}

class GrpcTrainingClient : public TrainingClient {
 public:
  explicit GrpcTrainingClient(OneServer server)
      : server_(std::move(server)), stub_(v1::Training::NewStub(server_.channel())) {}

  absl::StatusOr<TrainingRun> Submit(const std::string& name, const std::string& config_path,
                                     const std::vector<std::string>& overrides) override {
    v1::CreateRunRequest request;
    request.set_name(name);
    RETURN_IF_ERROR(ReadTextProto(config_path, request.mutable_config()));
    for (const std::string& text : overrides) RETURN_IF_ERROR(MergeTextProto(text, request.mutable_config()));
    return CallForRun(&Stub::CreateRun, request);
  }

  absl::StatusOr<TrainingRun> Get(const std::string& name) override {
    v1::GetRunRequest request;
    request.set_name(name);
    return CallForRun(&Stub::GetRun, request);
  }

  absl::StatusOr<std::vector<TrainingRun>> List() override {
    v1::ListRunsResponse response;
    RETURN_IF_ERROR(server_.Call(stub_.get(), &Stub::ListRuns, v1::ListRunsRequest(), &response));
    std::vector<TrainingRun> runs;
    for (const v1::Run& run : response.runs()) runs.push_back(ReadRun(run));
    return runs;
  }

  absl::StatusOr<TrainingRun> Cancel(const std::string& name) override {
    v1::CancelRunRequest request;
    request.set_name(name);
    return CallForRun(&Stub::CancelRun, request);
  }

  absl::StatusOr<TrainingRun> Resume(const std::string& name) override {
    v1::ResumeRunRequest request;
    request.set_name(name);
    return CallForRun(&Stub::ResumeRun, request);
  }

  absl::StatusOr<TrainingRun> Watch(const std::string& name,
                                    const std::function<void(const TrainingRun&)>& on_change) override {
    v1::WatchRunRequest request;
    request.set_name(name);
    grpc::ClientContext context;
    const auto stream = stub_->WatchRun(&context, request);
    v1::Run message;
    while (stream->Read(&message)) on_change(ReadRun(message));
    RETURN_IF_ERROR(FromGrpc(stream->Finish()));
    return ReadRun(message);
  }

  absl::StatusOr<PublishedModel> Publish(const std::string& run, bool teacher, const std::string& model) override {
    v1::PublishBundleRequest request;
    request.set_run(run);
    request.set_bundle(teacher ? v1::BUNDLE_KIND_TEACHER : v1::BUNDLE_KIND_STUDENT);
    request.set_model(model);
    v1::PublishBundleResponse response;
    RETURN_IF_ERROR(server_.Call(stub_.get(), &Stub::PublishBundle, request, &response));
    return PublishedModel{response.directory(), response.version(), response.digest()};
  }

 private:
  template <typename Request>
  absl::StatusOr<TrainingRun> CallForRun(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, v1::Run*),
                                         const Request& request) {
    v1::Run response;
    RETURN_IF_ERROR(server_.Call(stub_.get(), method, request, &response));
    return ReadRun(response);
  }

  const OneServer server_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingClient>> TrainingClient::Create(const ClientOptions& options) {
  ASSIGN_OR_RETURN(OneServer server, OneServer::Open(options, "runs are one server's"));
  return std::make_unique<GrpcTrainingClient>(std::move(server));
}

}  // namespace candor
