// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>

#include "candor/v1/training.grpc.pb.h"
#include "security/authorizer.h"
#include "trainer/service/training_runs.h"

namespace candor {

// candor.v1.Training over a set of runs. One thread a call, as gRPC's synchronous services have it: calls are few.
// Where there are tokens, looking at runs takes the role infer, all else the role admin; where there are none, whoever
// reaches the service may do all. Thread-safe.
class TrainingService : public v1::Training::Service {
 public:
  // `runs` and `authorizer` outlive the service; `repository` is where bundles are published, "": nowhere.
  TrainingService(TrainingRuns* runs, std::string repository, Authorizer* authorizer)
      : runs_(*runs), repository_(std::move(repository)), authorizer_(*authorizer) {}

  grpc::Status CreateRun(grpc::ServerContext* context, const v1::CreateRunRequest* request, v1::Run* response) override;
  grpc::Status GetRun(grpc::ServerContext* context, const v1::GetRunRequest* request, v1::Run* response) override;
  grpc::Status ListRuns(grpc::ServerContext* context, const v1::ListRunsRequest* request,
                        v1::ListRunsResponse* response) override;
  grpc::Status CancelRun(grpc::ServerContext* context, const v1::CancelRunRequest* request, v1::Run* response) override;
  grpc::Status ResumeRun(grpc::ServerContext* context, const v1::ResumeRunRequest* request, v1::Run* response) override;
  grpc::Status WatchRun(grpc::ServerContext* context, const v1::WatchRunRequest* request,
                        grpc::ServerWriter<v1::Run>* writer) override;
  grpc::Status PublishBundle(grpc::ServerContext* context, const v1::PublishBundleRequest* request,
                             v1::PublishBundleResponse* response) override;

  // From now on streams end with UNAVAILABLE and new runs are refused.
  void Close() { is_closing_ = true; }

 private:
  // Errors of Authorizer::Check.
  absl::Status Authorize(const grpc::ServerContext& context, Role role) const {
    return authorizer_.has_tokens() ? authorizer_.Check(context, role) : absl::OkStatus();
  }
  grpc::Status Watch(grpc::ServerContext* context, const std::string& name, grpc::ServerWriter<v1::Run>* writer);
  void Fill(const RunView& view, v1::Run* message) const;
  grpc::Status Answer(const absl::StatusOr<RunView>& view, v1::Run* message) const;

  TrainingRuns& runs_;
  const std::string repository_;
  Authorizer& authorizer_;
  std::atomic<bool> is_closing_{false};
  std::atomic<int> watchers_{0};
};

}  // namespace candor
