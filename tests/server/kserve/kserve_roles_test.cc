// SPDX-License-Identifier: Apache-2.0
//
// Who may call the Open Inference Protocol.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "inference/grpc_service.pb.h"
#include "tests/server/live_server.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using grpc::StatusCode;

constexpr char kInferToken[] = "robot-0123456789abcdef";
constexpr char kAdminToken[] = "admin-0123456789abcdef";

class KServeRolesTest : public testing::Test {
 protected:
  KServeRolesTest() : live_([this](v1::ServerConfig* config) { config->set_token_file(WriteTokens()); }) {}

  std::string WriteTokens() const {
    std::ofstream(folder_.File("tokens")) << "infer " << kInferToken << "\nadmin " << kAdminToken << "\n";
    return folder_.File("tokens");
  }

  // Calls a method with an empty message.
  StatusCode Call(const std::string& method, const std::string& token) {
    grpc::GenericStub stub(live_.channel());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    const grpc::Slice empty("");
    const grpc::ByteBuffer request(&empty, 1);
    grpc::ByteBuffer response;
    absl::Notification done;
    grpc::Status status;
    stub.UnaryCall(&context, absl::StrCat("/inference.GRPCInferenceService/", method), grpc::StubOptions(), &request,
                   &response, [&](grpc::Status result) {
                     status = std::move(result);
                     done.Notify();
                   });
    done.WaitForNotification();
    return status.error_code();
  }

  const TemporaryFolder folder_;
  LiveServer live_;
};

TEST_F(KServeRolesTest, EveryMethodNeedsAToken) {
  const google::protobuf::ServiceDescriptor* service = inference::ModelInferRequest::descriptor()->file()->service(0);
  ASSERT_EQ(service->method_count(), 20);
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string& method = service->method(i)->name();
    EXPECT_EQ(Call(method, ""), StatusCode::UNAUTHENTICATED) << method;
    EXPECT_EQ(Call(method, "wrong-0123456789abcdef"), StatusCode::UNAUTHENTICATED) << method;
    EXPECT_NE(Call(method, kAdminToken), StatusCode::UNAUTHENTICATED) << method;
  }
}

TEST_F(KServeRolesTest, ModelsAreTheAdminsToLoad) {
  for (const char* method : {"RepositoryModelLoad", "RepositoryModelUnload"}) {
    EXPECT_EQ(Call(method, kInferToken), StatusCode::PERMISSION_DENIED) << method;
    EXPECT_EQ(Call(method, kAdminToken), StatusCode::UNIMPLEMENTED) << method;
  }
  EXPECT_EQ(Call("ServerLive", kInferToken), StatusCode::OK);
}

}  // namespace
}  // namespace candor
