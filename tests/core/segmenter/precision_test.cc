// SPDX-License-Identifier: Apache-2.0
//
// What the models of this repository say in each precision about its sample pictures.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/engine/cpu_features.h"
#include "core/image/decode.h"
#include "core/segmenter/segmenter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/small_bundle.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

absl::StatusOr<std::unique_ptr<Segmenter>> LoadIn(Precision precision, const std::string& bundle) {
  LoadOptions options;
  options.precision = precision;
  return LoadSegmenter(absl::StrCat(CANDOR_SOURCE_DIR, "/models/", bundle), options);
}

Segmentation Answer(Segmenter* segmenter, const std::string& picture) {
  const auto bytes = ReadFile(absl::StrCat(CANDOR_SOURCE_DIR, "/models/samples/", picture), 1 << 24);
  EXPECT_THAT(bytes, IsOk());
  const auto image = DecodeImage(*bytes, {});
  EXPECT_THAT(image, IsOk());
  const KindRequest stddev = {UncertaintyKind::kPredictiveStddev, true};
  auto result = segmenter->Segment(*image, {absl::MakeConstSpan(&stddev, 1)}, nullptr);
  EXPECT_THAT(result, IsOk());
  return *std::move(result);
}

class ShippedModelTest : public testing::TestWithParam<const char*> {};

// Loading compares with the known answer, which the readable network gave in float32.
TEST_P(ShippedModelTest, Bfloat16KeepsLabelsAndUncertainty) {
  if (!HasNativeBf16()) GTEST_SKIP() << "no bfloat16 products on this processor";
  const auto fp32 = LoadIn(Precision::kFp32, GetParam());
  const auto bf16 = LoadIn(Precision::kBf16, GetParam());
  ASSERT_THAT(fp32, IsOk());
  ASSERT_THAT(bf16, IsOk());
  EXPECT_EQ((*fp32)->info().precision, "fp32");
  EXPECT_EQ((*bf16)->info().precision, "bf16");
  size_t pixels = 0;
  size_t equal = 0;
  double difference = 0;
  for (const char* picture : {"0001TP_008550.jpg", "Seq05VD_f01740.jpg", "Seq05VD_f03540.jpg", "Seq05VD_f05040.jpg"}) {
    const Segmentation want = Answer(fp32->get(), picture);
    const Segmentation got = Answer(bf16->get(), picture);
    ASSERT_EQ(got.labels.size(), want.labels.size());
    pixels += want.labels.size();
    for (size_t i = 0; i < want.labels.size(); ++i) {
      equal += got.labels[i] == want.labels[i];
      difference += std::abs(got.kinds[0].map[i] - want.kinds[0].map[i]);
    }
  }
  const double share = static_cast<double>(equal) / static_cast<double>(pixels);
  const double mean = difference / static_cast<double>(pixels);
  RecordProperty("equal_labels", std::to_string(share));
  RecordProperty("mean_difference", std::to_string(mean));
  EXPECT_GE(share, 0.995);
  EXPECT_LE(mean, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Models, ShippedModelTest, testing::Values("camvid-student", "camvid-teacher"));

TEST(PrecisionTest, AutoIsWhatTheProcessorCanAndTheModelBears) {
  const auto segmenter = LoadIn(Precision::kAuto, "camvid-student");
  ASSERT_THAT(segmenter, IsOk());
  EXPECT_EQ((*segmenter)->info().precision, HasNativeBf16() ? "bf16" : "fp32");
}

TEST(PrecisionTest, AModelThatSamplesWithDropoutHasNoBfloat16) {
  const std::string folder = absl::StrCat(testing::TempDir(), "precision_dropout");
  WriteSmallBundle(folder, ModelKind::kSingle, 1, [](ModelSpec& spec) {
    spec.sampling.method = SamplingMethod::kMcDropout;
    spec.sampling.passes = 2;
    spec.sampling.dropout = 0.2F;
    spec.uncertainty = UncertaintyKindsOf(spec);
  });
  LoadOptions options;
  options.precision = Precision::kBf16;
  EXPECT_THAT(LoadSegmenter(folder, options),
              HasStatus(absl::StatusCode::kFailedPrecondition,
                        testing::HasSubstr("precision bf16: a model that samples with dropout computes in fp32")));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace candor
