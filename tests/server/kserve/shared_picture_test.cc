// SPDX-License-Identifier: Apache-2.0
//
// Pictures that stay in a client's shared memory until the network has read them, and what the client does meanwhile.
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "inference/grpc_service.grpc.pb.h"
#include "tests/server/kserve/shared_file.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using grpc::StatusCode;
using inference::GRPCInferenceService;
using inference::ModelInferResponse;
using testing::Each;
using testing::HasSubstr;

constexpr int kSide = 200;
constexpr size_t kPixels = size_t{kSide} * kSide;
constexpr char kRegion[] = "camera";

// The red of every pixel of the fake's picture is its class, of four.
std::string Picture(char label) {
  std::string pixels;
  for (size_t i = 0; i < kPixels; ++i) pixels += {label, 0, 0};
  return pixels;
}

class SharedPictureTest : public testing::Test {
 protected:
  SharedPictureTest() {
    inference::SystemSharedMemoryRegisterRequest region;
    region.set_name(kRegion);
    region.set_key(file_.key());
    region.set_byte_size(3 * kPixels);
    inference::SystemSharedMemoryRegisterResponse registered;
    grpc::ClientContext context;
    const grpc::Status status = stub_->SystemSharedMemoryRegister(&context, region, &registered);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  // Labels of the picture in the region.
  grpc::Status Infer(std::string* labels) {
    inference::ModelInferRequest request;
    request.set_model_name("street");
    auto* input = request.add_inputs();
    input->set_name("image");
    input->set_datatype("UINT8");
    for (const int side : {1, kSide, kSide, 3}) input->add_shape(side);
    (*input->mutable_parameters())["shared_memory_region"].set_string_param(kRegion);
    (*input->mutable_parameters())["shared_memory_byte_size"].set_int64_param(3 * kPixels);
    request.add_outputs()->set_name("labels");
    grpc::ClientContext context;
    ModelInferResponse response;
    const grpc::Status status = stub_->ModelInfer(&context, request, &response);
    if (status.ok()) *labels = response.raw_output_contents(0);
    return status;
  }

  // The same, with something that happens between the request's arrival and the network's.
  template <typename Deed>
  grpc::Status InferWhile(const Deed& deed, std::string* labels) {
    live_.street().Block();
    grpc::Status status;
    std::thread caller([&] { status = Infer(labels); });
    live_.street().WaitForCalls(1);
    deed();
    live_.street().Release();
    caller.join();
    return status;
  }

  const SharedFile file_{Picture(2)};
  LiveServer live_{[](v1::ServerConfig* config) { config->set_system_shared_memory(true); }};
  const std::unique_ptr<GRPCInferenceService::Stub> stub_ = GRPCInferenceService::NewStub(live_.channel());
  std::string labels_;
};

TEST_F(SharedPictureTest, TheNetworkReadsItWhereItIs) {
  ASSERT_TRUE(Infer(&labels_).ok());
  EXPECT_EQ(labels_.size(), kPixels);
  EXPECT_THAT(labels_, Each('\2'));
}

TEST_F(SharedPictureTest, NoCopyOfItIsMade) {
  const grpc::Status status = InferWhile([this] { file_.Write(Picture(3)); }, &labels_);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(labels_, Each('\3'));
}

TEST_F(SharedPictureTest, ItMayBeUnregisteredMeanwhile) {
  const auto unregister = [this] {
    grpc::ClientContext context;
    inference::SystemSharedMemoryUnregisterResponse response;
    EXPECT_TRUE(stub_->SystemSharedMemoryUnregister(&context, {}, &response).ok());
  };
  const grpc::Status status = InferWhile(unregister, &labels_);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(labels_, Each('\2'));
  EXPECT_EQ(Infer(&labels_).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(SharedPictureTest, CutMeanwhileItIsTheCallersErrorAndTheServerGoesOn) {
  const grpc::Status status = InferWhile([this] { file_.Cut(4096); }, &labels_);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("was cut while it was used"));
  EXPECT_EQ(labels_, "");
  EXPECT_TRUE(live_.Segment(RawRequest()).ok());
  EXPECT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 0"));
}

}  // namespace
}  // namespace candor
