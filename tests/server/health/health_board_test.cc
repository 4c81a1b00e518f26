// SPDX-License-Identifier: Apache-2.0
#include "server/health/health_board.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace candor {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr auto kServing = HealthCheckResponse::SERVING;
constexpr auto kNotServing = HealthCheckResponse::NOT_SERVING;
constexpr auto kUnknown = HealthCheckResponse::SERVICE_UNKNOWN;

class HealthBoardTest : public testing::Test {
 protected:
  HealthBoardTest() {
    grpc::EnableDefaultHealthCheckService(true);
    server_ = grpc::ServerBuilder().BuildAndStart();
    stub_ = Health::NewStub(server_->InProcessChannel({}));
    board_ = std::make_unique<HealthBoard>(server_->GetHealthCheckService(), std::vector<std::string>{"service"},
                                           [this](const std::set<std::string>& names) { told_.push_back(names); });
  }
  ~HealthBoardTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  static HealthCheckRequest Request(const std::string& name) {
    HealthCheckRequest request;
    request.set_service(name);
    return request;
  }

  // SERVICE_UNKNOWN for NOT_FOUND.
  HealthCheckResponse::ServingStatus Check(const std::string& name) {
    grpc::ClientContext context;
    HealthCheckResponse response;
    const grpc::Status status = stub_->Check(&context, Request(name), &response);
    if (status.error_code() == grpc::StatusCode::NOT_FOUND) return kUnknown;
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Health::Stub> stub_;
  std::unique_ptr<HealthBoard> board_;
  std::vector<std::set<std::string>> told_;
};

TEST_F(HealthBoardTest, AServiceServesWhileThereIsAModel) {
  board_->ShowModels({});
  EXPECT_EQ(Check("service"), kNotServing);
  EXPECT_EQ(Check(""), kServing) << "the process lives all the same";
  board_->ShowModels({"street"});
  EXPECT_EQ(Check("service"), kServing);
  board_->ShowModels({});
  EXPECT_EQ(Check("service"), kNotServing);
}

TEST_F(HealthBoardTest, ModelsComeAndGo) {
  board_->ShowModels({"street", "student"});
  EXPECT_EQ(Check("street"), kServing);
  EXPECT_EQ(Check("night"), kUnknown);
  board_->ShowModels({"night", "student"});
  EXPECT_EQ(Check("street"), kNotServing);
  EXPECT_EQ(Check("night"), kServing);
  EXPECT_EQ(Check("student"), kServing);
  board_->ShowModels({"street", "student"});
  EXPECT_EQ(Check("street"), kServing);
}

TEST_F(HealthBoardTest, TellsWhatServes) {
  board_->ShowModels({"street", "student"});
  board_->ShowModels({"night"});
  board_->Close();
  board_->ShowModels({"street"});
  EXPECT_EQ(Check("street"), kNotServing);
  EXPECT_THAT(told_, testing::ElementsAre(std::set<std::string>{"street", "student"}, std::set<std::string>{"night"},
                                          std::set<std::string>{}));
}

TEST_F(HealthBoardTest, AWatcherSeesAModelComeAndGo) {
  grpc::ClientContext context;
  const auto watch = stub_->Watch(&context, Request("street"));
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), kUnknown);
  board_->ShowModels({"street"});
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), kServing);
  board_->ShowModels({});
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), kNotServing);
  context.TryCancel();
}

TEST_F(HealthBoardTest, OnceClosedNothingServesAnyMore) {
  board_->ShowModels({"street"});
  board_->Close();
  board_->ShowModels({"street", "night"});
  for (const char* name : {"", "service", "street", "night"}) EXPECT_EQ(Check(name), kNotServing) << name;
}

}  // namespace
}  // namespace candor
