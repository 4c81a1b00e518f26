// SPDX-License-Identifier: Apache-2.0
//
// Requests to a live server: what is accepted, what is refused and how.
#include "server/segmentation_service.h"

#include <grpcpp/generic/generic_stub.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "core/image/decode.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "tests/server/live_server.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using grpc::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SegmentationServiceTest : public testing::Test {
 protected:
  LiveServer live_;
};

TEST_F(SegmentationServiceTest, AnswersWithLabelsMapsAndStatistics) {
  v1::SegmentRequest request = RawRequest();
  request.set_labels(v1::LABEL_RAW);
  v1::UncertaintyRequest* uncertainty = request.add_uncertainty();
  uncertainty->set_encoding(v1::MAP_U8);
  uncertainty->set_threshold(0.3F);
  v1::SegmentResponse response;
  const grpc::Status status = live_.Segment(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.model().name(), "street");
  EXPECT_EQ(response.width(), 4);
  EXPECT_EQ(response.height(), 1);
  EXPECT_EQ(response.labels(), std::string("\0\1\2\2", 4));
  ASSERT_EQ(response.maps_size(), 1);
  EXPECT_EQ(response.maps(0).data(), std::string("\x00\x33\x66\xFF", 4));
  ASSERT_EQ(response.statistics_size(), 1);
  EXPECT_FLOAT_EQ(response.statistics(0).mean(), 0.4F);                   // (0 + 0.2 + 0.4 + 1) / 4
  EXPECT_FLOAT_EQ(response.statistics(0).share_above_threshold(), 0.5F);  // 0.4 and 1 are above 0.3
  ASSERT_EQ(response.classes_size(), 3);
  EXPECT_EQ(response.classes(0).class_index(), 2);
  EXPECT_FLOAT_EQ(response.classes(0).share(), 0.5F);
  EXPECT_FLOAT_EQ(response.classes(0).mean_uncertainty(), 0.7F);
  EXPECT_GT(response.timing().infer_ms(), 0);
  EXPECT_GE(response.timing().queue_ms(), 0);
}

TEST_F(SegmentationServiceTest, EveryReplyHasItsOwnRequestId) {
  v1::SegmentResponse first;
  v1::SegmentResponse second;
  ASSERT_TRUE(live_.Segment(RawRequest(), &first).ok());
  ASSERT_TRUE(live_.Segment(RawRequest(), &second).ok());
  EXPECT_EQ(first.request_id().size(), 16u);
  EXPECT_NE(first.request_id(), second.request_id());
}

TEST_F(SegmentationServiceTest, PngLabelsAreAGreyPngOfClassIndices) {
  v1::SegmentRequest request = RawRequest();
  request.set_labels(v1::LABEL_PNG);
  v1::SegmentResponse response;
  ASSERT_TRUE(live_.Segment(request, &response).ok());
  const absl::StatusOr<ByteMap> labels = DecodeLabelPng(response.labels(), {});
  ASSERT_THAT(labels, IsOk());
  EXPECT_EQ(labels->width, 4);
  EXPECT_THAT(labels->values, ElementsAre(0, 1, 2, 2));
}

TEST_F(SegmentationServiceTest, UsesTheModelAskedForByNameOrAlias) {
  for (const char* name : {"committee", "teacher"}) {
    v1::SegmentRequest request = RawRequest();
    request.set_model(name);
    request.add_uncertainty()->set_kind(v1::MUTUAL_INFORMATION);
    v1::SegmentResponse response;
    ASSERT_TRUE(live_.Segment(request, &response).ok());
    EXPECT_EQ(response.model().name(), "committee");
    EXPECT_EQ(response.statistics_size(), 2);
  }
  EXPECT_EQ(live_.committee().calls().size(), 2u);
  EXPECT_TRUE(live_.street().calls().empty());
}

TEST(SegmentationServiceConfigTest, TheDefaultModelAndThresholdAreTheConfigured) {
  LiveServer live([](v1::ServerConfig* config) {
    config->set_default_model("teacher");
    config->set_uncertainty_threshold(0.3F);
  });
  v1::SegmentResponse response;
  ASSERT_TRUE(live.Segment(RawRequest(), &response).ok());
  EXPECT_EQ(response.model().name(), "committee");
  EXPECT_FLOAT_EQ(response.statistics(0).threshold(), 0.3F);
  EXPECT_FLOAT_EQ(response.statistics(0).share_above_threshold(), 0.5F);
}

// FourPixels() has a mean of 0.4 of each kind's upper bound.
TEST(SegmentationServiceVerdictTest, JudgesThePictureByItsMeanUncertainty) {
  const struct {
    float accept_max;
    float review_max;
    v1::Verdict verdict;
    const char* label;
  } cases[] = {
      {0.45F, 0.5F, v1::ACCEPT, "accept"}, {0.35F, 0.45F, v1::REVIEW, "review"}, {0.1F, 0.35F, v1::REJECT, "reject"}};
  for (const auto& test : cases) {
    // Of another kind than the default, which nobody asks for.
    LiveServer live(WithVerdict(FakeModelInfo("street", ModelKind::kStudent), UncertaintyKind::kMargin, test.accept_max,
                                test.review_max));
    v1::SegmentResponse response;
    ASSERT_TRUE(live.Segment(RawRequest(), &response).ok());
    EXPECT_EQ(response.verdict(), test.verdict) << test.label;
    ASSERT_EQ(response.statistics_size(), 2);
    EXPECT_EQ(response.statistics(0).kind(), v1::PREDICTIVE_STDDEV);
    EXPECT_EQ(response.statistics(1).kind(), v1::MARGIN);
    EXPECT_EQ(response.maps_size(), 0);
    for (const char* label : {"accept", "review", "reject"}) {
      const int count = std::string(label) == test.label ? 1 : 0;
      EXPECT_TRUE(
          live.ScrapeUntil(absl::StrCat("candor_verdicts_total{model=\"street\",verdict=\"", label, "\"} ", count)));
    }
  }
}

TEST_F(SegmentationServiceTest, WithoutCalibrationThereIsNoVerdict) {
  v1::SegmentResponse response;
  ASSERT_TRUE(live_.Segment(RawRequest(), &response).ok());
  EXPECT_EQ(response.verdict(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(response.statistics_size(), 1);
  EXPECT_THAT(live_.Scrape(), Not(HasSubstr("candor_verdicts_total{")));
}

TEST(SegmentationServiceLearnedTest, AStudentGivesTheMapsOfAllKindsItHasLearned) {
  ModelInfo info = FakeModelInfo("street", ModelKind::kStudent);
  info.spec.learned = {UncertaintyKind::kMutualInformation, UncertaintyKind::kDisagreement};
  info.spec.uncertainty = UncertaintyKindsOf(info.spec);
  LiveServer live(info);
  v1::SegmentRequest request = RawRequest();
  for (const v1::UncertaintyKind kind : {v1::DISAGREEMENT, v1::MUTUAL_INFORMATION}) {
    v1::UncertaintyRequest* uncertainty = request.add_uncertainty();
    uncertainty->set_kind(kind);
    uncertainty->set_encoding(v1::MAP_U8);
  }
  v1::SegmentResponse response;
  const grpc::Status status = live.Segment(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.maps_size(), 2);
  EXPECT_EQ(response.maps(0).kind(), v1::DISAGREEMENT);
  EXPECT_EQ(response.maps(0).scale(), 1.0F / 255);
  EXPECT_EQ(response.maps(0).data(), std::string("\x00\x33\x66\xFF", 4));
  EXPECT_EQ(response.maps(1).kind(), v1::MUTUAL_INFORMATION);
  EXPECT_EQ(response.statistics(0).kind(), v1::MUTUAL_INFORMATION);  // the first learned is the default

  grpc::ClientContext context;
  v1::GetModelResponse model;
  ASSERT_TRUE(live.stub().GetModel(&context, v1::GetModelRequest(), &model).ok());
  std::vector<std::string> names;
  for (const v1::UncertaintyKindInfo& kind : model.model().uncertainty()) names.push_back(kind.name());
  EXPECT_THAT(names,
              ElementsAre("mutual_information", "disagreement", "predictive_entropy", "max_probability", "margin"));

  request.mutable_uncertainty(0)->set_kind(v1::PREDICTIVE_STDDEV);
  const grpc::Status refused = live.Segment(request);
  EXPECT_EQ(refused.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("it has MUTUAL_INFORMATION, DISAGREEMENT, PREDICTIVE_ENTROPY"));
}

// PNG files of red 6, green 51 first, made with Python's zlib and struct from the PNG specification.
TEST_F(SegmentationServiceTest, AcceptsEveryKindOfPng) {
  const struct {
    const char* what;
    const char* hex;
    std::vector<int> labels;  // red % 4
  } cases[] = {
      {"16-bit grey 0, 65535",
       "89504e470d0a1a0a0000000d494844520000000200000001100000000081d9fc150000000d4944415478da636060f8ff1f00030201ff39"
       "2919be0000000049454e44ae426082",
       {0, 3}},
      {"8-bit grey 5, 51",
       "89504e470d0a1a0a0000000d4948445200000002000000010800000000d14920560000000b4944415478da636035060000400039d663e3"
       "8e0000000049454e44ae426082",
       {1, 3}},
      {"1-bit palette (6, 51, 0), (7, 102, 0)",
       "89504e470d0a1a0a0000000d4948445200000002000000010103000000ceecedc900000006504c5445063300076600a35742200000000a"
       "4944415478da637000000042004184bf8e620000000049454e44ae426082",
       {2, 3}},
      {"transparent (6, 51, 0, 0)",
       "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da6360336660000000b6003a81"
       "0b8a090000000049454e44ae426082",
       {2}},
  };
  for (const auto& test : cases) {
    v1::SegmentRequest request = EncodedRequest(absl::HexStringToBytes(test.hex));
    request.set_labels(v1::LABEL_RAW);
    v1::SegmentResponse response;
    const grpc::Status status = live_.Segment(request, &response);
    EXPECT_TRUE(status.ok()) << test.what << ": " << status.error_message();
    EXPECT_EQ(std::vector<int>(response.labels().begin(), response.labels().end()), test.labels) << test.what;
  }
}

// A JPEG of 8 x 8 grey pixels.
std::string SmallJpeg() { return EncodeJpeg({8, 8, std::vector<uint8_t>(192, 128)}, 90); }

TEST_F(SegmentationServiceTest, TurnsAJpegUprightByItsExifOrientation) {
  std::string jpeg = EncodeJpeg({16, 8, std::vector<uint8_t>(16 * 8 * 3, 128)}, 90);
  // APP1 of 34 bytes: "Exif", then a little-endian TIFF header and one entry: tag 0x112, SHORT, count 1, value 6 (turn
  // right by 90 degrees).
  jpeg.insert(2, absl::HexStringToBytes("ffe10022457869660000"
                                        "49492a0008000000010012010300010000000600000000000000"));
  v1::SegmentResponse response;
  const grpc::Status status = live_.Segment(EncodedRequest(jpeg), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.width(), 8);
  EXPECT_EQ(response.height(), 16);
}

// Sets width and height in the frame header (SOF0: FF C0, length, precision, height, width).
std::string WithJpegSize(std::string jpeg, int width, int height) {
  const size_t frame = jpeg.find("\xFF\xC0");
  for (const auto& [offset, value] : {std::pair<size_t, int>{5, height}, {7, width}}) {
    jpeg[frame + offset] = static_cast<char>(value >> 8);
    jpeg[frame + offset + 1] = static_cast<char>(value & 255);
  }
  return jpeg;
}

v1::SegmentRequest RawWith(const std::function<void(v1::RawImage*)>& edit) {
  v1::SegmentRequest request = RawRequest();
  edit(request.mutable_image()->mutable_raw());
  return request;
}

TEST_F(SegmentationServiceTest, BadInputIsInvalidArgumentWithTheFieldsPath) {
  const std::string png = EncodeRgbPng({32, 32, std::vector<uint8_t>(32 * 32 * 3, 100)});
  constexpr int kHuge = 2147483647;
  const struct {
    v1::SegmentRequest request;
    const char* message;
  } cases[] = {
      {v1::SegmentRequest(), "image: "},
      {EncodedRequest(""), "image.encoded: "},
      {EncodedRequest("this is no picture"), "image.encoded: "},
      {EncodedRequest(png.substr(0, png.size() / 2)), "image.encoded: "},
      {EncodedRequest(SmallJpeg().substr(0, SmallJpeg().size() - 20)), "image.encoded: "},
      {EncodedRequest(WithJpegSize(SmallJpeg(), 65500, 16000)), "image.encoded: "},
      {EncodedRequest(WithJpegSize(SmallJpeg(), 0, 8)), "image.encoded: "},
      {RawWith([](v1::RawImage* raw) { raw->set_width(0); }), "image.raw.width: "},
      {RawWith([](v1::RawImage* raw) { raw->set_height(-1); }), "image.raw.height: "},
      {RawWith([](v1::RawImage* raw) { raw->set_data("12345678901"); }), "image.raw.data: "},
      {RawWith([](v1::RawImage* raw) { raw->clear_data(); }), "image.raw.data: "},
      {RawWith([](v1::RawImage* raw) { raw->set_stride(11); }), "image.raw.stride: "},
      {RawWith([](v1::RawImage* raw) { raw->set_stride(-12); }), "image.raw.stride: "},
      {RawWith([](v1::RawImage* raw) { raw->set_width(kHuge), raw->set_height(kHuge); }), "image.raw."},
      {RawWith([](v1::RawImage* raw) { raw->set_stride(kHuge), raw->set_height(4000000); }), "image.raw."},
      {RawWith([](v1::RawImage* raw) { raw->clear_format(); }), "image.raw.format: "},
      {RawWith([](v1::RawImage* raw) { raw->set_format(static_cast<v1::PixelFormat>(99)); }), "image.raw.format: "},
      {RawWith([](v1::RawImage* raw) { raw->set_format(v1::YUYV), raw->set_width(3); }), "image.raw.width: "},
      {RawWith([](v1::RawImage* raw) { raw->set_format(v1::NV12); }), "image.raw.height: "},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    const grpc::Status status = live_.Segment(cases[i].request);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << "case " << i << ": " << status.error_message();
    EXPECT_THAT(status.error_message(), StartsWith(cases[i].message)) << "case " << i;
  }
  EXPECT_TRUE(live_.street().calls().empty());
  EXPECT_TRUE(live_.Segment(RawRequest()).ok()) << "the server is as well as before";
}

TEST(SegmentationServiceLimitsTest, APictureOverTheConfiguredSizeIsRefusedByItsHeader) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_pixels(63); });
  const grpc::Status status = live.Segment(EncodedRequest(SmallJpeg()));  // 64 pixels
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), AllOf(StartsWith("image.encoded: "), HasSubstr("63")));
}

TEST_F(SegmentationServiceTest, AnUnknownModelIsNotFoundAndNamesTheLoadedOnes) {
  v1::SegmentRequest request = RawRequest();
  request.set_model("nobody");
  const grpc::Status status = live_.Segment(request);
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "model: no model is called \"nobody\"; loaded are committee, street");
}

TEST_F(SegmentationServiceTest, AKindTheModelLacksIsFailedPrecondition) {
  v1::SegmentRequest request = RawRequest();
  request.add_uncertainty()->set_kind(v1::MUTUAL_INFORMATION);
  const grpc::Status status = live_.Segment(request);
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), AllOf(StartsWith("uncertainty[0].kind: "), HasSubstr("PREDICTIVE_STDDEV")));
}

TEST(SegmentationServiceLimitsTest, AMessageOverTheLimitIsResourceExhausted) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_message_bytes(100000); });
  EXPECT_EQ(live.Segment(EncodedRequest(std::string(200000, 'x'))).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
}

TEST_F(SegmentationServiceTest, BytesThatAreNoRequestAreInvalid) {
  grpc::GenericStub stub(live_.channel());
  testing::internal::CaptureStderr();
  // Cut short twice, and a model's name that is not UTF-8.
  for (const std::string& bytes :
       {std::string("\xFF\xFF\xFF", 3), std::string("\x12\x05\x12", 3), std::string("\x0A\x01\xFF", 3)}) {
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    absl::Notification done;
    grpc::Status status;
    stub.UnaryCall(&context, "/candor.v1.Segmentation/Segment", {}, &request, &response, [&](grpc::Status ending) {
      status = std::move(ending);
      done.Notify();
    });
    done.WaitForNotification();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(status.error_message(), "the request is no candor.v1.SegmentRequest");
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("libprotobuf")));
}

TEST_F(SegmentationServiceTest, ACompressedRequestIsUnimplemented) {
  for (grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    v1::SegmentResponse response;
    const grpc::Status status = live_.stub().Segment(&context, EncodedRequest(std::string(100000, 'x')), &response);
    EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED) << status.error_message();
  }
}

TEST_F(SegmentationServiceTest, ListsItsModelsByName) {
  grpc::ClientContext context;
  v1::ListModelsResponse response;
  ASSERT_TRUE(live_.stub().ListModels(&context, {}, &response).ok());
  ASSERT_EQ(response.models_size(), 2);
  EXPECT_EQ(response.models(0).identity().name(), "committee");
  EXPECT_THAT(response.models(0).aliases(), ElementsAre("teacher"));
  EXPECT_EQ(response.models(1).identity().name(), "street");
  EXPECT_EQ(response.models(1).classes_size(), 4);
  EXPECT_EQ(response.default_model(), "street");
}

TEST_F(SegmentationServiceTest, GetsAModelByNameAliasOrDefault) {
  for (const auto& [asked, name] : std::vector<std::pair<std::string, std::string>>{
           {"", "street"}, {"student", "street"}, {"teacher", "committee"}, {"committee", "committee"}}) {
    grpc::ClientContext context;
    v1::GetModelRequest request;
    request.set_model(asked);
    v1::GetModelResponse response;
    ASSERT_TRUE(live_.stub().GetModel(&context, request, &response).ok()) << asked;
    EXPECT_EQ(response.model().identity().name(), name);
  }
  grpc::ClientContext context;
  v1::GetModelRequest request;
  request.set_model("nobody");
  v1::GetModelResponse response;
  EXPECT_EQ(live_.stub().GetModel(&context, request, &response).error_code(), StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace candor
