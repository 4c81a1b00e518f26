// SPDX-License-Identifier: Apache-2.0
//
// Messages that are too large, or larger than they look.
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "inference/grpc_service.grpc.pb.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using grpc::StatusCode;

constexpr int64_t kMiB = 1 << 20;

TEST(MessageFaultsTest, AGzipBombIsUnimplementedBeforeItIsInflated) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_message_bytes(kMiB); });
  const v1::SegmentRequest bomb = EncodedRequest(std::string(16 * kMiB, '\0'));
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::SegmentResponse response;
  EXPECT_EQ(live.stub().Segment(&context, bomb, &response).error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(live.street().calls().empty());
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

// There is no floating-point input: what might be no number never gets near the network.
TEST(MessageFaultsTest, APictureOfFloatingPointNumbersIsRefusedWhateverTheyAre) {
  LiveServer live;
  const std::vector<float> values(12, std::numeric_limits<float>::quiet_NaN());
  inference::ModelInferRequest request;
  request.set_model_name("street");
  auto* input = request.add_inputs();
  input->set_name("image");
  input->set_datatype("FP32");
  for (const int64_t side : {1, 1, 4, 3}) input->add_shape(side);
  request.add_raw_input_contents(values.data(), values.size() * sizeof(float));
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  const auto stub = inference::GRPCInferenceService::NewStub(live.channel());
  const grpc::Status status = stub->ModelInfer(&context, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("FP32"));
  EXPECT_TRUE(live.street().calls().empty());
}

TEST(MessageFaultsTest, AMessageOverTheLimitIsResourceExhausted) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_message_bytes(kMiB); });
  EXPECT_EQ(live.Segment(EncodedRequest(std::string(kMiB + 1, 'x'))).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(live.Segment(EncodedRequest(std::string(kMiB - 100, 'x'))).error_code(), StatusCode::INVALID_ARGUMENT)
      << "one within it is looked at";
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

}  // namespace
}  // namespace candor
