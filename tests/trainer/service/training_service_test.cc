// SPDX-License-Identifier: Apache-2.0
//
// The service on a real port, with an executor that a test tells what to say.
#include "trainer/service/training_service.h"

#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "candor/v1/training.grpc.pb.h"
#include "core/model/bundle.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "prometheus/metric_family.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/trainer/service/fake_executor.h"
#include "trainer/service/service_metrics.h"
#include "trainer/service/service_server.h"

namespace candor {
namespace {

using grpc::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::Duration kPatience = absl::Seconds(30);

MATCHER_P2(Fails, code, message, "") {
  *result_listener << arg.error_code() << " " << arg.error_message();
  return arg.error_code() == code && testing::ExplainMatchResult(message, arg.error_message(), result_listener);
}

class TrainingServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    RunsOptions options;
    options.folder = folder_.File("runs");
    options.poll = absl::Milliseconds(2);
    auto runs = TrainingRuns::Open(options, std::make_unique<FakeExecutor>(&script_));
    ASSERT_THAT(runs, IsOk());
    runs_ = *std::move(runs);
    auto server = ServiceServer::Start({"127.0.0.1:0", "127.0.0.1:0", folder_.File("models")},
                                       *OpenSecurity(nullptr, ""), runs_.get());
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials());
    stub_ = v1::Training::NewStub(channel_);
  }

  grpc::Status Create(const std::string& name, v1::Run* run = nullptr) {
    v1::CreateRunRequest request;
    request.set_name(name);
    request.mutable_config()->set_data("camvid:data");
    request.mutable_config()->set_members(2);
    return Send(request, run);
  }
  grpc::Status Send(const v1::CreateRunRequest& request, v1::Run* run = nullptr) {
    grpc::ClientContext context;
    v1::Run unused;
    return stub_->CreateRun(&context, request, run == nullptr ? &unused : run);
  }
  v1::Run Get(const std::string& name) {
    grpc::ClientContext context;
    v1::GetRunRequest request;
    request.set_name(name);
    v1::Run run;
    EXPECT_TRUE(stub_->GetRun(&context, request, &run).ok());
    return run;
  }
  void Await(const std::string& name, v1::RunState state) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (Get(name).state() != state && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(2));
    EXPECT_EQ(Get(name).state(), state);
  }
  std::unique_ptr<grpc::ClientReader<v1::Run>> Watch(const std::string& name, grpc::ClientContext* context) {
    v1::WatchRunRequest request;
    request.set_name(name);
    return stub_->WatchRun(context, request);
  }
  std::string Folder(const std::string& name) { return Get(name).directory(); }
  grpc::Status Publish(const std::string& run, const std::string& model, v1::BundleKind kind,
                       v1::PublishBundleResponse* response) {
    grpc::ClientContext context;
    v1::PublishBundleRequest request;
    request.set_run(run);
    request.set_model(model);
    request.set_bundle(kind);
    return stub_->PublishBundle(&context, request, response);
  }

  TemporaryFolder folder_;
  ExecutorScript script_;
  std::unique_ptr<TrainingRuns> runs_;
  std::unique_ptr<ServiceServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Training::Stub> stub_;
};

TEST_F(TrainingServiceTest, ARunHasWhatItWasGiven) {
  v1::Run run;
  ASSERT_TRUE(Create("street", &run).ok());
  EXPECT_EQ(run.name(), "street");
  EXPECT_EQ(run.state(), v1::RUN_STATE_QUEUED);
  EXPECT_EQ(run.executor(), "fake");
  EXPECT_EQ(run.members(), 2);
  EXPECT_EQ(run.trainings_size(), 3);
  EXPECT_GT(run.create_time_ms(), 0);
  EXPECT_THAT(Contents(run.directory() + "/config.textproto"), HasSubstr("data: \"camvid:data\""));
  Await("street", v1::RUN_STATE_RUNNING);
}

TEST_F(TrainingServiceTest, ANameIsMadeOfTheTime) {
  v1::Run run;
  ASSERT_TRUE(Create("", &run).ok());
  EXPECT_THAT(run.name(), StartsWith("run-20"));
}

TEST_F(TrainingServiceTest, RefusesWhatCandorTrainWouldRefuse) {
  v1::CreateRunRequest request;
  request.set_name("street");
  EXPECT_THAT(Send(request), Fails(StatusCode::INVALID_ARGUMENT, HasSubstr("data: must name a data set")));
  request.mutable_config()->set_data("camvid:data");
  request.mutable_config()->set_epochs(0);
  EXPECT_THAT(Send(request), Fails(StatusCode::INVALID_ARGUMENT, AllOf(HasSubstr("epochs"), HasSubstr("0"))));
  EXPECT_THAT(Create("../street"), Fails(StatusCode::INVALID_ARGUMENT, HasSubstr("name: must be 1 to 64")));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.File("runs")));
  ASSERT_TRUE(Create("street").ok());
  EXPECT_THAT(Create("street"), Fails(StatusCode::ALREADY_EXISTS, HasSubstr("street")));
}

TEST_F(TrainingServiceTest, AnUnknownRunIsNotFound) {
  grpc::ClientContext context;
  v1::GetRunRequest request;
  request.set_name("nobody\n");
  v1::Run run;
  EXPECT_THAT(stub_->GetRun(&context, request, &run), Fails(StatusCode::NOT_FOUND, HasSubstr("'nobody '")));
}

TEST_F(TrainingServiceTest, ListsTheNewestFirst) {
  ASSERT_TRUE(Create("a").ok());
  absl::SleepFor(absl::Milliseconds(2));  // times are whole milliseconds
  ASSERT_TRUE(Create("b").ok());
  grpc::ClientContext context;
  v1::ListRunsResponse response;
  ASSERT_TRUE(stub_->ListRuns(&context, {}, &response).ok());
  std::vector<std::string> names;
  for (const v1::Run& run : response.runs()) names.push_back(run.name());
  EXPECT_THAT(names, ElementsAre("b", "a"));
}

TEST_F(TrainingServiceTest, CancelAndResume) {
  ASSERT_TRUE(Create("street").ok());
  Await("street", v1::RUN_STATE_RUNNING);
  v1::Run run;
  v1::CancelRunRequest cancel;
  cancel.set_name("street");
  grpc::ClientContext first;
  ASSERT_TRUE(stub_->CancelRun(&first, cancel, &run).ok());
  EXPECT_EQ(run.state(), v1::RUN_STATE_CANCELLING);
  Await("street", v1::RUN_STATE_CANCELLED);
  grpc::ClientContext second;
  EXPECT_THAT(stub_->CancelRun(&second, cancel, &run), Fails(StatusCode::FAILED_PRECONDITION, HasSubstr("ended")));
  v1::ResumeRunRequest resume;
  resume.set_name("street");
  grpc::ClientContext third;
  ASSERT_TRUE(stub_->ResumeRun(&third, resume, &run).ok());
  Await("street", v1::RUN_STATE_RUNNING);
}

TEST_F(TrainingServiceTest, WatchTellsEveryStateToTheEnd) {
  ASSERT_TRUE(Create("street").ok());
  Await("street", v1::RUN_STATE_RUNNING);
  grpc::ClientContext context;
  const auto stream = Watch("street", &context);
  v1::Run run;
  ASSERT_TRUE(stream->Read(&run));
  EXPECT_EQ(run.state(), v1::RUN_STATE_RUNNING);
  script_.Say(run.directory(), {Execution::State::kFailed, "data: gone"});
  while (stream->Read(&run)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(run.state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(run.message(), "data: gone");
}

TEST_F(TrainingServiceTest, AClosedServiceEndsItsWatchers) {
  ASSERT_TRUE(Create("street").ok());
  grpc::ClientContext context;
  const auto stream = Watch("street", &context);
  v1::Run run;
  ASSERT_TRUE(stream->Read(&run));
  server_.reset();
  while (stream->Read(&run)) {
  }
  EXPECT_THAT(stream->Finish(), Fails(StatusCode::UNAVAILABLE, HasSubstr("shutting down")));
}

TEST_F(TrainingServiceTest, PublishesWhatIsFinished) {
  ASSERT_TRUE(Create("street").ok());
  v1::PublishBundleResponse response;
  EXPECT_THAT(Publish("street", "road", v1::BUNDLE_KIND_STUDENT, &response),
              Fails(StatusCode::FAILED_PRECONDITION, HasSubstr("student")));
  EXPECT_THAT(Publish("street", "", v1::BUNDLE_KIND_STUDENT, &response),
              Fails(StatusCode::INVALID_ARGUMENT, HasSubstr("model: ")));
  EXPECT_THAT(Publish("street", "road", static_cast<v1::BundleKind>(7), &response),
              Fails(StatusCode::INVALID_ARGUMENT, HasSubstr("got 7")));
  TensorFile member;
  member.tensors = {{"w", DType::kU8, {3}, "abc"}};
  ASSERT_THAT(WriteBundle(Folder("street") + "/student", ValidSpec(ModelKind::kStudent, 0), {member}), IsOk());
  ASSERT_TRUE(Publish("street", "road", v1::BUNDLE_KIND_UNSPECIFIED, &response).ok());
  EXPECT_EQ(response.version(), 1);
  EXPECT_EQ(OpenBundle(response.directory())->digest, response.digest());
  EXPECT_THAT(Publish("street", "road", v1::BUNDLE_KIND_TEACHER, &response),
              Fails(StatusCode::FAILED_PRECONDITION, HasSubstr("teacher")));
}

TEST_F(TrainingServiceTest, HealthIsServed) {
  const auto health = grpc::health::v1::Health::NewStub(channel_);
  for (const char* name : {"", "candor.v1.Training"}) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    grpc::health::v1::HealthCheckResponse response;
    ASSERT_TRUE(health->Check(&context, request, &response).ok()) << name;
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  }
}

TEST_F(TrainingServiceTest, MetricsCountRunsByState) {
  ASSERT_TRUE(Create("a").ok());
  Await("a", v1::RUN_STATE_RUNNING);
  ASSERT_TRUE(Create("b").ok());
  std::map<std::string, double> runs;
  for (const auto& family : ServiceMetrics(runs_.get()).Collect()) {
    if (family.name != "candor_training_service_runs") continue;
    for (const auto& metric : family.metric) runs[metric.label.at(0).value] = metric.gauge.value;
  }
  EXPECT_EQ(runs.size(), 6u);
  EXPECT_EQ(runs["running"], 1);
  EXPECT_EQ(runs["queued"], 1);
  EXPECT_EQ(runs["failed"], 0);
}

TEST_F(TrainingServiceTest, APortInUseIsNamed) {
  EXPECT_THAT(ServiceServer::Start({server_->grpc_address(), "off", ""}, *OpenSecurity(nullptr, ""), runs_.get()),
              HasStatus(absl::StatusCode::kUnavailable, HasSubstr(server_->grpc_address())));
  EXPECT_THAT(
      ServiceServer::Start({"127.0.0.1:0", server_->metrics_address(), ""}, *OpenSecurity(nullptr, ""), runs_.get()),
      HasStatus(absl::StatusCode::kUnavailable, HasSubstr("--metrics-listen")));
}

}  // namespace
}  // namespace candor
