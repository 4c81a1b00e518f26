// SPDX-License-Identifier: Apache-2.0
//
// Life and death of a server: ports, health, reflection, drain.
#include "server/server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/config.h"
#include "tests/server/live_server.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using grpc::StatusCode;
using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

HealthCheckRequest HealthRequest(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

// The state of `service`; SERVICE_UNKNOWN for NOT_FOUND.
HealthCheckResponse::ServingStatus HealthOf(LiveServer* live, const std::string& service) {
  grpc::ClientContext context;
  HealthCheckResponse response;
  const grpc::Status status = Health::NewStub(live->channel())->Check(&context, HealthRequest(service), &response);
  if (status.error_code() == StatusCode::NOT_FOUND) return HealthCheckResponse::SERVICE_UNKNOWN;
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.status();
}

TEST(ServerTest, SaysWhichPortsItTook) {
  LiveServer live;
  EXPECT_THAT(live.server().grpc_address(), MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  EXPECT_THAT(live.server().metrics_address(), MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  EXPECT_NE(live.server().grpc_address(), live.server().metrics_address());
}

TEST(ServerTest, MetricsMayBeOff) {
  LiveServer live([](v1::ServerConfig* config) { config->set_metrics_listen("off"); });
  EXPECT_EQ(live.server().metrics_address(), "off");
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

// Starts a second server and returns why it does not.
absl::Status StartSecond(const std::string& listen, const std::string& metrics_listen,
                         const std::string& refused_dump_dir = "") {
  v1::ServerConfig config;
  config.set_listen(listen);
  config.set_metrics_listen(metrics_listen);
  config.set_refused_dump_dir(refused_dump_dir);
  config.set_threads(1);
  FillServerConfigDefaults(&config);
  InferenceScheduler scheduler({1});
  std::vector<LoadedModel> models(1);
  models[0].segmenter = std::make_unique<FakeSegmenter>(FakeModelInfo("street", ModelKind::kStudent));
  absl::StatusOr<std::unique_ptr<ModelRegistry>> registry = ModelRegistry::Create(std::move(models), "");
  EXPECT_THAT(registry, IsOk());
  return Server::Start(config, *std::move(registry), &scheduler).status();
}

TEST(ServerTest, AFolderForRefusedPicturesThatCannotBeMadeIsNamed) {
  EXPECT_THAT(StartSecond("127.0.0.1:0", "off", "/dev/null/refused"),
              HasStatus(absl::StatusCode::kInvalidArgument, StartsWith("refused_dump_dir: /dev/null/refused: ")));
}

TEST(ServerTest, APortInUseIsUnavailableAndNamed) {
  LiveServer live;
  const std::string& grpc = live.server().grpc_address();
  const std::string& metrics = live.server().metrics_address();
  EXPECT_THAT(StartSecond(grpc, "off"), HasStatus(absl::StatusCode::kUnavailable,
                                                  AllOf(StartsWith("listen: cannot listen on "), HasSubstr(grpc))));
  EXPECT_THAT(
      StartSecond("127.0.0.1:0", metrics),
      HasStatus(absl::StatusCode::kUnavailable, AllOf(StartsWith("metrics_listen: cannot "), HasSubstr(metrics))));
  EXPECT_TRUE(live.Segment(RawRequest()).ok()) << "the first goes on";
}

TEST(ServerTest, AFailedStartLeavesNoPortOpen) {
  LiveServer live;
  std::string free_address;
  {
    LiveServer brief;
    free_address = brief.server().metrics_address();
  }
  EXPECT_THAT(StartSecond(live.server().grpc_address(), free_address), Not(IsOk()));
  EXPECT_EQ(HttpGet(free_address, "/metrics"), "");
}

TEST(ServerTest, HealthKnowsTheProcessTheServiceAndEachModel) {
  LiveServer live;
  for (const char* name : {"", "candor.v1.Segmentation", "street", "student", "committee", "teacher"}) {
    EXPECT_EQ(HealthOf(&live, name), HealthCheckResponse::SERVING) << name;
  }
  EXPECT_EQ(HealthOf(&live, "nobody"), HealthCheckResponse::SERVICE_UNKNOWN);
}

TEST(ServerTest, DrainFinishesAcceptedRequestsAndRefusesNewOnes) {
  LiveServer live;
  live.street().Block();
  PendingCall accepted(&live, RawRequest());
  live.street().WaitForCalls(1);
  std::thread drainer([&live] { live.server().Drain(); });
  while (HealthOf(&live, "candor.v1.Segmentation") == HealthCheckResponse::SERVING) {
  }
  EXPECT_EQ(HealthOf(&live, "street"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthOf(&live, ""), HealthCheckResponse::NOT_SERVING);
  const grpc::Status refused = live.Segment(RawRequest());
  EXPECT_EQ(refused.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_message(), HasSubstr("shutting down"));
  grpc::ClientContext context;
  v1::ListModelsResponse models;
  EXPECT_EQ(live.stub().ListModels(&context, {}, &models).error_code(), StatusCode::UNAVAILABLE);
  live.street().Release();
  EXPECT_TRUE(accepted.Wait().ok());
  drainer.join();
  EXPECT_EQ(accepted.response().width(), 4);
  EXPECT_EQ(live.street().calls().size(), 1u);
  EXPECT_EQ(live.Segment(RawRequest()).error_code(), StatusCode::UNAVAILABLE);
}

TEST(ServerTest, DrainCancelsWhatIsLeftAfterItsTimeout) {
  LiveServer live([](v1::ServerConfig* config) { config->set_drain_timeout_ms(1); });
  live.street().Block();  // never released: only the cancellation ends the call
  PendingCall running(&live, RawRequest());
  live.street().WaitForCalls(1);
  PendingCall queued(&live, RawRequest());
  ASSERT_TRUE(live.ScrapeUntil("candor_requests_in_flight 2"));
  live.server().Drain();
  EXPECT_EQ(running.Wait().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(queued.Wait().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(live.street().calls().size(), 1u);
}

TEST(ServerTest, DrainEndsHealthWatches) {
  LiveServer live;
  const auto health = Health::NewStub(live.channel());
  grpc::ClientContext context;
  const auto watch = health->Watch(&context, HealthRequest("street"));
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  std::thread drainer([&live] { live.server().Drain(); });
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  drainer.join();
  EXPECT_FALSE(watch->Finish().ok());
}

TEST(ServerTest, DrainTwiceIsDrainOnce) {
  LiveServer live;
  live.server().Drain();
  live.server().Drain();
}

// Asks for the list of services: ServerReflectionRequest with field 7 (list_services) empty. The answer's bytes, whose
// strings are readable, or the error's code.
std::pair<StatusCode, std::string> ListServices(LiveServer* live) {
  const std::string request("\x3a\x00", 2);
  const grpc::Slice slice(request);
  grpc::GenericStub stub(live->channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto await = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto stream =
      stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  stream->StartCall(nullptr);
  await();
  stream->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  await();
  grpc::ByteBuffer answer;
  stream->Read(&answer, nullptr);
  std::string bytes;
  if (await()) {
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(answer.Dump(&slices).ok());
    for (const grpc::Slice& piece : slices) bytes.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  await();
  return {status.error_code(), bytes};
}

TEST(ServerTest, ReflectionListsTheServices) {
  LiveServer live;
  const auto [code, bytes] = ListServices(&live);
  EXPECT_EQ(code, StatusCode::OK);
  EXPECT_THAT(bytes, AllOf(HasSubstr("candor.v1.Segmentation"), HasSubstr("grpc.health.v1.Health")));
}

TEST(ServerTest, ReflectionMayBeOff) {
  LiveServer live([](v1::ServerConfig* config) { config->set_reflection(false); });
  EXPECT_EQ(ListServices(&live).first, StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

}  // namespace
}  // namespace candor
