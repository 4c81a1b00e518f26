// SPDX-License-Identifier: Apache-2.0
//
// ModelStreamInfer, over the wire.
#include "server/kserve/infer_stream.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "inference/grpc_service.grpc.pb.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using grpc::StatusCode;
using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelStreamInferResponse;
using testing::HasSubstr;

ModelInferRequest Request(const std::string& id, const std::string& model = "street") {
  const Image image = FourPixels();
  ModelInferRequest request;
  request.set_model_name(model);
  request.set_id(id);
  auto* input = request.add_inputs();
  input->set_name("image");
  input->set_datatype("UINT8");
  for (const int64_t side : {1, 1, 4, 3}) input->add_shape(side);
  request.add_raw_input_contents(image.pixels.data(), image.pixels.size());
  return request;
}

class InferStreamTest : public testing::Test {
 protected:
  void Open(const char* grpc_error = nullptr) {
    if (grpc_error != nullptr) context_.AddMetadata("triton_grpc_error", grpc_error);
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = stub_->ModelStreamInfer(&context_);
  }

  LiveServer live_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_ = GRPCInferenceService::NewStub(live_.channel());
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<ModelInferRequest, ModelStreamInferResponse>> stream_;
};

TEST_F(InferStreamTest, RepliesComeInTheOrderOfTheRequests) {
  Open();
  constexpr int kRequests = 40;  // more than may be unanswered
  for (int i = 0; i < kRequests; ++i)
    ASSERT_TRUE(stream_->Write(Request(absl::StrCat(i), i % 2 == 0 ? "street" : "teacher")));
  stream_->WritesDone();
  ModelStreamInferResponse response;
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(stream_->Read(&response));
    EXPECT_EQ(response.error_message(), "");
    EXPECT_EQ(response.infer_response().id(), absl::StrCat(i));
    EXPECT_EQ(response.infer_response().raw_output_contents(0), std::string("\0\1\2\2", 4));
    EXPECT_TRUE(response.infer_response().parameters().at("triton_final_response").bool_param());
  }
  EXPECT_FALSE(stream_->Read(&response));
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(InferStreamTest, AnErrorIsAReply) {
  Open();
  ASSERT_TRUE(stream_->Write(Request("a", "nobody")));
  ASSERT_TRUE(stream_->Write(Request("b")));
  stream_->WritesDone();
  ModelStreamInferResponse response;
  ASSERT_TRUE(stream_->Read(&response));
  EXPECT_THAT(response.error_message(), HasSubstr("nobody"));
  EXPECT_EQ(response.infer_response().id(), "a");
  EXPECT_EQ(response.infer_response().raw_output_contents_size(), 0);
  ASSERT_TRUE(stream_->Read(&response));
  EXPECT_EQ(response.error_message(), "");
  EXPECT_EQ(response.infer_response().id(), "b");
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(InferStreamTest, AnErrorEndsTheStreamIfTheCallerWantsThat) {
  Open("true");
  ASSERT_TRUE(stream_->Write(Request("a")));
  ASSERT_TRUE(stream_->Write(Request("b", "nobody")));
  ModelStreamInferResponse response;
  ASSERT_TRUE(stream_->Read(&response)) << "what came before it is answered";
  EXPECT_EQ(response.infer_response().id(), "a");
  EXPECT_FALSE(stream_->Read(&response));
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("nobody"));
}

TEST_F(InferStreamTest, ACallerWhoGivesUpLeavesNothingBehind) {
  live_.street().Block();
  Open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(stream_->Write(Request(absl::StrCat(i))));
  live_.street().WaitForCalls(1);
  context_.TryCancel();
  EXPECT_EQ(stream_->Finish().error_code(), StatusCode::CANCELLED);
  EXPECT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 0"));
  live_.street().Release();
}

TEST_F(InferStreamTest, ACallerWhoDoesNotReadIsNotReadFromEither) {
  live_.street().Block();
  Open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(stream_->Write(Request(absl::StrCat(i))));
  EXPECT_TRUE(live_.ScrapeUntil(absl::StrCat("candor_requests_in_flight ", InferStream::kMostUnanswered)));
  live_.street().Release();
  stream_->WritesDone();
  ModelStreamInferResponse response;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(stream_->Read(&response));
  EXPECT_TRUE(stream_->Finish().ok());
}

}  // namespace
}  // namespace candor
