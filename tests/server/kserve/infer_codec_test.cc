// SPDX-License-Identifier: Apache-2.0
//
// Requests and answers of the Open Inference Protocol, without a server.
#include "server/kserve/infer_codec.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "wire/large_fields.h"

namespace candor {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr InferLimits kLimits{4, 1000};

absl::StatusOr<std::string> NothingShared(const SharedTensor& /*tensor*/) {
  return absl::UnimplementedError("nothing is shared");
}

absl::Status NothingWritten(const SharedTensor& /*tensor*/, uint64_t /*at*/, absl::string_view /*bytes*/) {
  return absl::UnimplementedError("nothing is shared");
}

// Pixels [n,2,3,3], byte i being i.
ModelInferRequest PixelRequest(int64_t pictures = 1) {
  ModelInferRequest request;
  request.set_model_name("street");
  request.set_id("r7");
  auto* input = request.add_inputs();
  input->set_name("image");
  input->set_datatype("UINT8");
  for (const int64_t side : {pictures, int64_t{2}, int64_t{3}, int64_t{3}}) input->add_shape(side);
  std::string bytes;
  for (int i = 0; i < pictures * 18; ++i) bytes.push_back(static_cast<char>(i));
  request.add_raw_input_contents(bytes);
  return request;
}

ModelInferRequest FileRequest(const std::string& raw, int64_t count) {
  ModelInferRequest request;
  auto* input = request.add_inputs();
  input->set_name("image");
  input->set_datatype("BYTES");
  input->add_shape(count);
  request.add_raw_input_contents(raw);
  return request;
}

absl::StatusOr<InferPlan> PlanPixels(const ModelInferRequest& request) {
  return PlanInfer(request, "street", InputForm::kPixels, kLimits, NothingShared);
}

absl::StatusOr<InferPlan> PlanFiles(const ModelInferRequest& request) {
  return PlanInfer(request, "street", InputForm::kFiles, kLimits, NothingShared);
}

TEST(PlanInferTest, RawPixelsAreAPictureEach) {
  const auto plan = PlanPixels(PixelRequest(2));
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->pictures.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const v1::SegmentRequest& picture = plan->pictures[i];
    EXPECT_EQ(picture.model(), "street");
    EXPECT_EQ(picture.image().raw().format(), v1::RGB8);
    EXPECT_EQ(picture.image().raw().width(), 3);
    EXPECT_EQ(picture.image().raw().height(), 2);
    EXPECT_EQ(picture.image().raw().data(), PixelRequest(2).raw_input_contents(0).substr(18 * i, 18));
    EXPECT_EQ(picture.labels(), v1::LABEL_RAW);
    ASSERT_EQ(picture.uncertainty_size(), 1);
    EXPECT_EQ(picture.uncertainty(0).encoding(), v1::MAP_F32);
  }
  ASSERT_EQ(plan->outputs.size(), 2u) << "without names, all";
  EXPECT_TRUE(plan->outputs[0].is_labels);
  EXPECT_FALSE(plan->outputs[1].is_labels);
}

TEST(PlanInferTest, OnlyWhatIsAskedForIsComputed) {
  ModelInferRequest request = PixelRequest();
  request.add_outputs()->set_name("labels");
  auto plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->pictures[0].labels(), v1::LABEL_RAW);
  EXPECT_EQ(plan->pictures[0].uncertainty(0).encoding(), v1::MAP_ENCODING_UNSPECIFIED);
  request.mutable_outputs(0)->set_name("uncertainty");
  (*request.mutable_parameters())["uncertainty_datatype"].set_string_param("FP16");
  plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->pictures[0].labels(), v1::LABEL_ENCODING_UNSPECIFIED);
  EXPECT_EQ(plan->pictures[0].uncertainty(0).encoding(), v1::MAP_F16);
}

TEST(PlanInferTest, TypedContentsCountAsRawOnes) {
  ModelInferRequest request = PixelRequest();
  request.clear_raw_input_contents();
  for (uint32_t i = 0; i < 18; ++i) request.mutable_inputs(0)->mutable_contents()->add_uint_contents(i);
  const auto plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->pictures[0].image().raw().data(), PixelRequest().raw_input_contents(0));
  request.mutable_inputs(0)->mutable_contents()->set_uint_contents(3, 256);
  EXPECT_THAT(PlanPixels(request),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("must be in [0, 255] for UINT8, got 256")));
}

TEST(PlanInferTest, BytesAreLengthsAndFiles) {
  const std::string raw("\3\0\0\0abc\0\0\0\0\1\0\0\0x", 16);
  const auto plan = PlanFiles(FileRequest(raw, 3));
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->pictures.size(), 3u);
  EXPECT_EQ(plan->pictures[0].image().encoded(), "abc");
  EXPECT_EQ(plan->pictures[1].image().encoded(), "");
  EXPECT_EQ(plan->pictures[2].image().encoded(), "x");
  ModelInferRequest typed = FileRequest("", 2);
  typed.clear_raw_input_contents();
  typed.mutable_inputs(0)->mutable_contents()->add_bytes_contents("one");
  typed.mutable_inputs(0)->mutable_contents()->add_bytes_contents("two");
  const auto typed_plan = PlanFiles(typed);
  ASSERT_THAT(typed_plan, IsOk());
  EXPECT_EQ(typed_plan->pictures[1].image().encoded(), "two");
}

TEST(PlanInferTest, LengthsThatDoNotAddUpAreRefused) {
  for (const std::string& raw : {std::string("\3\0\0\0ab", 6), std::string("\xff\xff\xff\xff", 4),
                                 std::string("\3\0", 2), std::string(), std::string("\1\0\0\0ab", 6)}) {
    EXPECT_THAT(PlanFiles(FileRequest(raw, 1)),
                HasStatus(absl::StatusCode::kInvalidArgument, StartsWith("inputs[0]: ")));
  }
}

TEST(PlanInferTest, ParametersBecomePriorityDeadlineKindAndThreshold) {
  ModelInferRequest request = PixelRequest();
  auto& parameters = *request.mutable_parameters();
  parameters["priority"].set_uint64_param(1);
  parameters["timeout"].set_int64_param(2500);
  parameters["triton_enable_empty_final_response"].set_bool_param(true);
  parameters["uncertainty_threshold"].set_string_param("0.25");
  parameters["uncertainty_kind"].set_string_param("margin");
  const auto plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->timeout, std::chrono::microseconds(2500));
  EXPECT_EQ(plan->pictures[0].priority(), v1::PRIORITY_HIGH);
  EXPECT_EQ(plan->pictures[0].uncertainty(0).kind(), v1::MARGIN);
  EXPECT_EQ(plan->pictures[0].uncertainty(0).threshold(), 0.25F);
  parameters["priority"].set_int64_param(3);
  EXPECT_EQ(PlanPixels(request)->pictures[0].priority(), v1::PRIORITY_LOW);
  parameters["priority"].set_int64_param(0);
  EXPECT_EQ(PlanPixels(request)->pictures[0].priority(), v1::PRIORITY_NORMAL);
  parameters["timeout"].set_int64_param(0);
  EXPECT_EQ(PlanPixels(request)->timeout, std::nullopt);
}

TEST(PlanInferTest, ARefusalNamesTheParameter) {
  const auto refused = [](const char* key, const std::function<void(inference::InferParameter*)>& set) {
    ModelInferRequest request = PixelRequest();
    set(&(*request.mutable_parameters())[key]);
    return PlanPixels(request);
  };
  const auto names = [](const std::string& text) {
    return HasStatus(absl::StatusCode::kInvalidArgument, StartsWith(text));
  };
  EXPECT_THAT(refused("colour", [](auto* p) { p->set_bool_param(true); }), names("parameters[\"colour\"]: unknown"));
  EXPECT_THAT(refused("sequence_id", [](auto* p) { p->set_int64_param(1); }), names("parameters[\"sequence_id\"]"));
  EXPECT_THAT(refused("priority", [](auto* p) { p->set_string_param("1"); }),
              names("parameters[\"priority\"]: must be"));
  EXPECT_THAT(refused("priority", [](auto* p) { p->set_int64_param(4); }),
              names("parameters[\"priority\"]: must be in"));
  EXPECT_THAT(refused("priority", [](auto* p) { p->set_uint64_param(~uint64_t{0}); }),
              names("parameters[\"priority\"]"));
  EXPECT_THAT(refused("timeout", [](auto* p) { p->set_int64_param(-1); }), names("parameters[\"timeout\"]"));
  EXPECT_THAT(refused("uncertainty_threshold", [](auto* p) { p->set_string_param("nan"); }),
              names("parameters[\"uncertainty_threshold\"]"));
  EXPECT_THAT(refused("uncertainty_threshold", [](auto* p) { p->set_double_param(1e300); }),
              names("parameters[\"uncertainty_threshold\"]"));
  EXPECT_THAT(refused("uncertainty_kind", [](auto* p) { p->set_string_param("doubt"); }),
              names("parameters[\"uncertainty_kind\"]"));
  EXPECT_THAT(refused("uncertainty_datatype", [](auto* p) { p->set_string_param("FP64"); }),
              names("parameters[\"uncertainty_datatype\"]: must be FP32 or FP16"));
  EXPECT_THAT(refused("triton_enable_empty_final_response", [](auto* p) { p->set_int64_param(1); }),
              names("parameters[\"triton_enable_empty_final_response\"]"));
}

TEST(PlanInferTest, ARefusalNamesTheTensor) {
  const auto refused = [](const std::function<void(ModelInferRequest*)>& edit) {
    ModelInferRequest request = PixelRequest();
    edit(&request);
    return PlanPixels(request);
  };
  const auto says = [](const std::string& start, const std::string& rest) {
    return HasStatus(absl::StatusCode::kInvalidArgument, AllOf(StartsWith(start), HasSubstr(rest)));
  };
  EXPECT_THAT(refused([](auto* r) { r->clear_inputs(); }), says("inputs: ", "0 inputs"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->set_name("x"); }), says("inputs: ", "\"x\""));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->set_datatype("BYTES"); }),
              says("inputs[0].datatype: ", "_encoded"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->mutable_shape()->RemoveLast(); }),
              says("inputs[0].shape: ", "[1,2,3]"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->set_shape(3, 4); }), says("inputs[0].shape: ", "[N,H,W,3]"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->set_shape(0, 5); }), says("inputs[0].shape[0]: ", "[1, 4]"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->set_shape(0, 0); }), says("inputs[0].shape[0]: ", "got 0"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->set_shape(1, -2); }), says("inputs[0].shape: ", "-2"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->set_shape(2, 4); }), says("inputs[0]: ", "got 18"));
  EXPECT_THAT(refused([](auto* r) {
                for (int i : {1, 2}) r->mutable_inputs(0)->set_shape(i, 2147483647);
              }),
              says("inputs[0]: ", "got 18"));
  EXPECT_THAT(refused([](auto* r) { r->clear_raw_input_contents(); }), says("inputs[0]: has neither", "shared_memory"));
  EXPECT_THAT(refused([](auto* r) { r->add_raw_input_contents("x"); }), says("raw_input_contents: ", "got 2"));
  EXPECT_THAT(refused([](auto* r) { r->mutable_inputs(0)->mutable_contents()->add_uint_contents(1); }),
              says("inputs[0].contents: ", "raw_input_contents"));
  EXPECT_THAT(refused([](auto* r) {
                r->clear_raw_input_contents();
                r->mutable_inputs(0)->mutable_contents()->add_int_contents(1);
              }),
              says("inputs[0].contents: ", "uint_contents"));
  EXPECT_THAT(refused([](auto* r) { r->add_outputs()->set_name("confidence"); }),
              says("outputs[0].name: ", "confidence"));
  EXPECT_THAT(refused([](auto* r) {
                r->add_outputs()->set_name("labels");
                r->add_outputs()->set_name("labels");
              }),
              says("outputs[1].name: ", "twice"));
  EXPECT_THAT(refused([](auto* r) {
                r->add_outputs()->set_name("labels");
                (*r->mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(1);
              }),
              says("outputs[0].parameters[\"classification\"]: ", "unknown"));
}

TEST(PlanInferTest, SharedPixelsAreReadLater) {
  ModelInferRequest request = PixelRequest(2);
  request.clear_raw_input_contents();
  auto& parameters = *request.mutable_inputs(0)->mutable_parameters();
  parameters["shared_memory_region"].set_string_param("camera");
  EXPECT_THAT(PlanPixels(request), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("shared_memory_byte_size")));
  parameters["shared_memory_byte_size"].set_int64_param(36);
  parameters["shared_memory_offset"].set_int64_param(5);
  const auto plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  ASSERT_EQ(plan->shared_pixels.size(), 2U);
  EXPECT_EQ(plan->shared_pixels[1].region, "camera");
  EXPECT_EQ(plan->shared_pixels[0].offset, 5U);
  EXPECT_EQ(plan->shared_pixels[1].offset, 23U);
  EXPECT_EQ(plan->shared_pixels[1].bytes, 18U);
  EXPECT_EQ(plan->pictures[1].image().raw().data(), "");
  parameters["shared_memory_byte_size"].set_int64_param(35);
  EXPECT_THAT(PlanPixels(request), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("needs 2 times 18 bytes")));
  parameters["shared_memory_byte_size"].set_int64_param(1001);
  EXPECT_THAT(PlanPixels(request),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("at most max_message_bytes (1000), got 1001")));
}

TEST(PlanInferTest, SharedFilesAreReadInPlaceOfContents) {
  ModelInferRequest request = FileRequest("", 1);
  request.clear_raw_input_contents();
  auto& parameters = *request.mutable_inputs(0)->mutable_parameters();
  parameters["shared_memory_region"].set_string_param("camera");
  parameters["shared_memory_byte_size"].set_int64_param(6);
  parameters["shared_memory_offset"].set_int64_param(5);
  const auto reader = [](const SharedTensor& tensor) -> absl::StatusOr<std::string> {
    EXPECT_EQ(tensor.region, "camera");
    EXPECT_EQ(tensor.offset, 5u);
    EXPECT_EQ(tensor.bytes, 6u);
    return std::string("\2\0\0\0pq", 6);
  };
  const auto plan = PlanInfer(request, "street", InputForm::kFiles, kLimits, reader);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->pictures[0].image().encoded(), "pq");
  EXPECT_THAT(PlanFiles(request), HasStatus(absl::StatusCode::kUnimplemented, "nothing is shared"));
}

// An answer as the segmentation service gives it, the map first of its large fields.
InferAnswer Answer(int width, int height, char label, char value) {
  InferAnswer result;
  v1::SegmentResponse& answer = result.message;
  answer.mutable_model()->set_version(3);
  answer.mutable_model()->set_digest("dd");
  answer.set_members(10);
  answer.set_width(width);
  answer.set_height(height);
  answer.add_maps()->set_data(LargeFieldPlaceholder(0));
  result.large_fields.push_back(SliceOf(std::string(static_cast<size_t>(4 * width * height), value)));
  answer.set_labels(LargeFieldPlaceholder(1));
  result.large_fields.push_back(SliceOf(std::string(static_cast<size_t>(width * height), label)));
  v1::UncertaintyStatistics* statistics = answer.add_statistics();
  statistics->set_kind(v1::PREDICTIVE_STDDEV);
  statistics->set_mean(0.25F);
  statistics->set_share_above_threshold(0.5F);
  answer.set_verdict(v1::REVIEW);
  answer.mutable_timing()->set_infer_ms(1.5F);
  return result;
}

TEST(FillInferResponseTest, OutputsAreRawAndInOrder) {
  ModelInferRequest request = PixelRequest();
  request.add_outputs()->set_name("uncertainty");
  request.add_outputs()->set_name("labels");
  const auto plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  std::vector<InferAnswer> answers = {Answer(3, 2, 'l', 'u')};
  ModelInferResponse response;
  ASSERT_THAT(FillInferResponse(request, *plan, answers, NothingWritten, &response), IsOk());
  EXPECT_EQ(response.model_name(), "street");
  EXPECT_EQ(response.model_version(), "3");
  EXPECT_EQ(response.id(), "r7");
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "uncertainty");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response.outputs(0).shape(), testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(response.outputs(1).name(), "labels");
  EXPECT_EQ(response.outputs(1).datatype(), "UINT8");
  EXPECT_THAT(response.raw_output_contents(), testing::ElementsAre(std::string(24, 'u'), std::string(6, 'l')));
  EXPECT_EQ(response.parameters().at("uncertainty_kind").string_param(), "predictive_stddev");
  EXPECT_EQ(response.parameters().at("uncertainty_mean").double_param(), 0.25);
  EXPECT_EQ(response.parameters().at("uncertainty_share_above_threshold").double_param(), 0.5);
  EXPECT_EQ(response.parameters().at("verdict").string_param(), "review");
  EXPECT_EQ(response.parameters().at("infer_us").int64_param(), 1500);
  EXPECT_EQ(response.parameters().at("members").int64_param(), 10);
}

TEST(FillInferResponseTest, PicturesOfOneSizeBecomeOneTensor) {
  const ModelInferRequest request = PixelRequest(2);
  const auto plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  std::vector<InferAnswer> answers = {Answer(3, 2, 'a', 'b'), Answer(3, 2, 'c', 'd')};
  ModelInferResponse response;
  ASSERT_THAT(FillInferResponse(request, *plan, answers, NothingWritten, &response), IsOk());
  EXPECT_THAT(response.outputs(0).shape(), testing::ElementsAre(2, 2, 3));
  EXPECT_EQ(response.raw_output_contents(0), "aaaaaacccccc");
  EXPECT_EQ(response.raw_output_contents(1), std::string(24, 'b') + std::string(24, 'd'));
  EXPECT_EQ(response.parameters().at("uncertainty_mean[1]").double_param(), 0.25);
  answers = {Answer(3, 2, 'a', 'b'), Answer(2, 3, 'c', 'd')};
  EXPECT_THAT(FillInferResponse(request, *plan, answers, NothingWritten, &response),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("one size, got 3x2 and 2x3")));
}

TEST(FillInferResponseTest, SharedOutputsAreWrittenPictureByPicture) {
  ModelInferRequest request = PixelRequest(2);
  auto* labels = request.add_outputs();
  labels->set_name("labels");
  (*labels->mutable_parameters())["shared_memory_region"].set_string_param("answers");
  (*labels->mutable_parameters())["shared_memory_byte_size"].set_int64_param(12);
  request.add_outputs()->set_name("uncertainty");
  const auto plan = PlanPixels(request);
  ASSERT_THAT(plan, IsOk());
  const std::vector<InferAnswer> answers = {Answer(3, 2, 'a', 'b'), Answer(3, 2, 'c', 'd')};
  std::string written(12, '-');
  const auto write = [&written](const SharedTensor& tensor, uint64_t at, absl::string_view bytes) {
    EXPECT_EQ(tensor.region, "answers");
    written.replace(at, bytes.size(), bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  ModelInferResponse response;
  ASSERT_THAT(FillInferResponse(request, *plan, answers, write, &response), IsOk());
  EXPECT_EQ(written, "aaaaaacccccc");
  EXPECT_EQ(response.raw_output_contents(0), "");
  EXPECT_EQ(response.raw_output_contents(1), std::string(24, 'b') + std::string(24, 'd'));
  EXPECT_THAT(FillInferResponse(request, *plan, answers, NothingWritten, &response),
              HasStatus(absl::StatusCode::kUnimplemented, "nothing is shared"));
}

TEST(FillInferResponseTest, AnAnswerThatNoMessageHoldsIsRefused) {
  const ModelInferRequest request = PixelRequest(2);
  const auto plan = PlanPixels(request);
  std::vector<InferAnswer> answers(2);
  for (InferAnswer& answer : answers) {
    answer.message.set_width(16384);
    answer.message.set_height(16384);
  }
  ModelInferResponse response;
  EXPECT_THAT(FillInferResponse(request, *plan, answers, NothingWritten, &response),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("the answer would have 2684354560 bytes")));
}

}  // namespace
}  // namespace candor
