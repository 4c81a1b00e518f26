// SPDX-License-Identifier: Apache-2.0
//
// Models that change under a real server, with calls under way.
#include "server/lifecycle/admin_service.h"

#include <grpcpp/create_channel.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "candor/v1/admin.grpc.pb.h"
#include "candor/v1/segmentation.grpc.pb.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/config.h"
#include "server/server.h"
#include "tests/server/lifecycle/fake_repository.h"
#include "tests/server/live_server.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using grpc::StatusCode;
using grpc::health::v1::HealthCheckResponse;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Stub = v1::ModelAdmin::Stub;

// A server of "street" (a student, versions 1 and 2) and "crowd" (an ensemble).
class AdminServiceTest : public testing::Test {
 protected:
  AdminServiceTest() {
    disk_.Write("street/1", ModelKind::kStudent);
    disk_.Write("street/2", ModelKind::kStudent);
    disk_.Write("crowd", ModelKind::kEnsemble);
    config_ = disk_.Configuration({{"street", {"day"}}, {"crowd", {}}});
    config_.set_listen("127.0.0.1:0");
    config_.set_metrics_listen("127.0.0.1:0");
    config_.set_threads(2);
    FillServerConfigDefaults(&config_);
  }
  ~AdminServiceTest() override {
    disk_.Release();
    server_.reset();
  }

  void Start() {
    scheduler_ = std::make_unique<InferenceScheduler>(InferenceScheduler::Limits{config_.max_pending_requests()});
    auto server = Server::Start(config_, disk_.LoadAll(config_), scheduler_.get(), {nullptr, disk_.loader()});
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials());
    admin_ = v1::ModelAdmin::NewStub(channel_);
    segmentation_ = v1::Segmentation::NewStub(channel_);
    health_ = grpc::health::v1::Health::NewStub(channel_);
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const std::string& model, Response* response, const std::string& token = "") {
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    Request request;
    request.set_model(model);
    return (admin_.get()->*method)(&context, request, response);
  }
  grpc::Status Reload(v1::ReloadModelsResponse* response, const std::string& token = "") {
    return Call(&Stub::ReloadModels, "", response, token);
  }
  // The version that answered, or the negated code.
  int VersionThatAnswers(const std::string& model) {
    v1::SegmentRequest request = RawRequest();
    request.set_model(model);
    grpc::ClientContext context;
    v1::SegmentResponse response;
    const grpc::Status status = segmentation_->Segment(&context, request, &response);
    return status.ok() ? response.model().version() : -static_cast<int>(status.error_code());
  }
  HealthCheckResponse::ServingStatus HealthOf(const std::string& service) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    const grpc::Status status = health_->Check(&context, request, &response);
    return status.ok() ? response.status() : HealthCheckResponse::SERVICE_UNKNOWN;
  }
  std::string Scrape() const { return HttpGet(server_->metrics_address(), "/metrics"); }

  FakeRepository disk_;
  v1::ServerConfig config_;
  std::unique_ptr<InferenceScheduler> scheduler_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> admin_;
  std::unique_ptr<v1::Segmentation::Stub> segmentation_;
  std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

// The details of type `Detail` in the trailers.
template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) break;
  }
  return detail;
}

TEST_F(AdminServiceTest, AReloadUnderLoadLosesNoRequest) {
  Start();
  std::atomic<bool> is_over{false};
  absl::Mutex mu;
  std::map<int, int> answers;  // by version; negative: codes of errors
  const auto wait_for = [&](int version, int count) {
    absl::MutexLock lock(&mu);
    const auto have_come = [&] { return answers[version] >= count || answers.begin()->first < 0; };
    mu.Await(absl::Condition(&have_come));
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!is_over) {
        const int version = VersionThatAnswers("day");
        absl::MutexLock lock(&mu);
        ++answers[version];
      }
    });
  }
  v1::ReloadModelsResponse reloaded;
  wait_for(2, 40);
  for (int version : {3, 4, 5}) {
    disk_.Write(absl::StrCat("street/", version), ModelKind::kStudent);
    EXPECT_TRUE(Reload(&reloaded).ok());
    wait_for(version, 40);
  }
  disk_.Write("street/6", ModelKind::kStudent);
  disk_.FailWith("street/6", absl::DataLossError("damaged"));
  EXPECT_EQ(Reload(&reloaded).error_code(), StatusCode::DATA_LOSS);
  wait_for(5, 80);
  v1::RollbackModelResponse rolled_back;
  EXPECT_TRUE(Call(&Stub::RollbackModel, "street", &rolled_back).ok());
  EXPECT_EQ(rolled_back.change().version_after(), 4);
  wait_for(4, 80);
  is_over = true;
  for (std::thread& client : clients) client.join();
  for (const auto& [version, count] : answers) EXPECT_TRUE(version >= 2 && version <= 5) << version << ": " << count;
}

TEST_F(AdminServiceTest, UnloadEndsCallsUnderWayAndRefusesNewOnes) {
  Start();
  const std::shared_ptr<FakeSegmenter> street = disk_.Loaded("street/2");
  street->Block();
  int answer = 0;
  std::thread under_way([&] { answer = VersionThatAnswers("street"); });
  street->WaitForCalls(1);
  v1::UnloadModelResponse response;
  const grpc::Status unloaded = Call(&Stub::UnloadModel, "day", &response);
  EXPECT_TRUE(unloaded.ok()) << unloaded.error_message();
  EXPECT_EQ(response.change().model(), "street");
  EXPECT_EQ(response.change().version_before(), 2);
  EXPECT_EQ(response.change().version_after(), 0);
  EXPECT_EQ(VersionThatAnswers("street"), -static_cast<int>(StatusCode::NOT_FOUND));
  EXPECT_EQ(VersionThatAnswers("day"), -static_cast<int>(StatusCode::NOT_FOUND));
  EXPECT_EQ(HealthOf("street"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthOf("candor.v1.Segmentation"), HealthCheckResponse::SERVING);
  street->Release();
  under_way.join();
  EXPECT_EQ(answer, 2);
  v1::LoadModelResponse loaded;
  EXPECT_TRUE(Call(&Stub::LoadModel, "street", &loaded).ok());
  EXPECT_EQ(HealthOf("day"), HealthCheckResponse::SERVING);
}

TEST_F(AdminServiceTest, AChangeUnderWayAbortsTheNextAndHoldsNothingElseUp) {
  Start();
  disk_.Write("street/3", ModelKind::kStudent);
  disk_.Block();
  std::vector<std::thread> callers;
  std::atomic<int> aborted{0};
  std::atomic<int> changed{0};
  // More than gRPC has threads.
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      v1::ReloadModelsResponse response;
      const grpc::Status status = Reload(&response);
      if (status.error_code() == StatusCode::ABORTED) {
        EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).reason(), "CHANGE_UNDER_WAY");
        ++aborted;
      } else if (status.ok() && response.changes_size() == 1) {
        ++changed;
      }
    });
  }
  disk_.WaitForLoads(3);  // two at the start
  while (aborted < 7) std::this_thread::yield();
  EXPECT_EQ(HealthOf(""), HealthCheckResponse::SERVING);
  EXPECT_EQ(VersionThatAnswers("street"), 2);
  v1::ListVersionsResponse versions;
  EXPECT_TRUE(Call(&Stub::ListVersions, "street", &versions).ok());
  disk_.Release();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(VersionThatAnswers("street"), 3);
}

TEST_F(AdminServiceTest, MetricsFollow) {
  Start();
  disk_.Write("street/3", ModelKind::kStudent);
  v1::ReloadModelsResponse response;
  ASSERT_TRUE(Reload(&response).ok());
  disk_.Write("street/4", ModelKind::kStudent);
  disk_.FailWith("street/4", absl::DataLossError("damaged"));
  ASSERT_FALSE(Reload(&response).ok());
  const std::string page = Scrape();
  EXPECT_THAT(page, HasSubstr("candor_model_loaded{model=\"street\",version=\"3\"} 1\n"));
  EXPECT_THAT(page, Not(HasSubstr("version=\"2\"")));
  EXPECT_THAT(page, HasSubstr("candor_model_loads_total{model=\"street\",result=\"ok\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_model_loads_total{model=\"street\",result=\"failed\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("candor_requests_total{code=\"DATA_LOSS\",method=\"ReloadModels\",model=\"none\"} 1\n"));
}

TEST_F(AdminServiceTest, ErrorsHaveTheirDetails) {
  Start();
  v1::LoadModelResponse response;
  const grpc::Status unknown = Call(&Stub::LoadModel, "../crowd", &response);
  EXPECT_EQ(unknown.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailOf<google::rpc::ResourceInfo>(unknown).resource_name(), "../crowd");
  disk_.Write("street/3", ModelKind::kStudent);
  const std::string why = disk_.At("street/3") + "/model.json: a rule is broken";
  disk_.FailWith("street/3", absl::InvalidArgumentError(why));
  const grpc::Status refused = Call(&Stub::LoadModel, "street", &response);
  EXPECT_EQ(refused.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.error_message(), why);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(refused).reason(), "MODEL_REFUSED");
  grpc::ClientContext context;
  v1::LoadModelRequest request;
  request.set_model("street");
  request.set_version(-1);
  const grpc::Status negative = admin_->LoadModel(&context, request, &response);
  EXPECT_EQ(negative.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(negative.error_message(), StartsWith("version: must be >= 0"));
}

TEST_F(AdminServiceTest, ListsVersions) {
  disk_.WriteHalf("street/3");
  Start();
  v1::ListVersionsResponse response;
  ASSERT_TRUE(Call(&Stub::ListVersions, "", &response).ok());
  ASSERT_EQ(response.models_size(), 2);
  const v1::ModelVersions& street = response.models(1);
  EXPECT_EQ(street.model(), "street");
  EXPECT_EQ(street.directory(), disk_.At("street"));
  EXPECT_EQ(street.served_version(), 2);
  EXPECT_EQ(street.previous_version(), 0);
  ASSERT_EQ(street.versions_size(), 3);
  EXPECT_TRUE(street.versions(1).complete());
  EXPECT_EQ(street.versions(2).version(), 3);
  EXPECT_FALSE(street.versions(2).complete());
}

TEST_F(AdminServiceTest, OnlyTheAdminTokenMayChangeModels) {
  const std::string infer_token = "infer-token-of-16-letters";
  const std::string admin_token = "admin-token-of-16-letters";
  WriteContents(disk_.At("tokens"), absl::StrCat("infer ", infer_token, "\nadmin ", admin_token, "\n"));
  config_.set_token_file(disk_.At("tokens"));
  Start();
  v1::ReloadModelsResponse response;
  EXPECT_EQ(Reload(&response).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Reload(&response, "no-token-of-this-server").error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Reload(&response, infer_token).error_code(), StatusCode::PERMISSION_DENIED);
  v1::ListVersionsResponse versions;
  EXPECT_EQ(Call(&Stub::ListVersions, "", &versions, infer_token).error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(Reload(&response, admin_token).ok());
}

TEST_F(AdminServiceTest, ADrainDuringALoadEndsBothInOrder) {
  Start();
  disk_.Write("street/3", ModelKind::kStudent);
  disk_.Block();
  std::thread caller([&] {
    v1::ReloadModelsResponse response;
    Reload(&response);
  });
  disk_.WaitForLoads(3);
  std::thread drain([&] { server_->Drain(); });
  disk_.Release();
  drain.join();
  caller.join();
}

TEST_F(AdminServiceTest, ANewConfigurationIsTakenInTheBackground) {
  Start();
  v1::ServerConfig next = disk_.Configuration({{"crowd", {"day"}}, {"street", {}}});
  server_->Configure(next);
  while (VersionThatAnswers("day") != 1) std::this_thread::yield();  // crowd is version 1, street version 2
  EXPECT_EQ(VersionThatAnswers("street"), 2);
}

TEST(AdminServiceWithoutLoaderTest, IsNotThere) {
  LiveServer live;
  grpc::ClientContext context;
  v1::ReloadModelsResponse response;
  EXPECT_EQ(v1::ModelAdmin::NewStub(live.channel())->ReloadModels(&context, {}, &response).error_code(),
            StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace candor
