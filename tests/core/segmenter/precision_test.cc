// SPDX-License-Identifier: Apache-2.0
//
// What the models of this repository say in each precision about its sample pictures.

#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/engine/cpu_features.h"
#include "core/segmenter/segmenter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/shipped_model.h"
#include "tests/core/segmenter/small_bundle.h"
#include "tests/testing/sanitized.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

absl::StatusOr<std::unique_ptr<Segmenter>> LoadIn(Precision precision, const std::string& bundle) {
  LoadOptions options;
  options.precision = precision;
  return LoadShipped(bundle, options);
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
  const auto [share, mean] =
      Compare(fp32->get(), bf16->get(),
              {"0001TP_008550.jpg", "Seq05VD_f01740.jpg", "Seq05VD_f03540.jpg", "Seq05VD_f05040.jpg"});
  EXPECT_GE(share, 0.995);
  EXPECT_LE(mean, 0.01);
}

// New pages of 4 KiB that a picture takes.
long PagesOf(Segmenter* segmenter) {
  struct rusage before = {};
  struct rusage after = {};
  getrusage(RUSAGE_SELF, &before);
  Answer(segmenter, "0001TP_008550.jpg");
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

// The first picture takes some 3,000; a network that allocates has them mapped, faulted in and given back every time.
TEST_P(ShippedModelTest, OncePicturesHaveComeTheNextTakesNoNewMemory) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer has an allocator of its own";
  for (const Precision precision : {Precision::kFp32, Precision::kAuto}) {
    const auto segmenter = LoadIn(precision, GetParam());
    ASSERT_THAT(segmenter, IsOk());
    for (int i = 0; i < 2; ++i) PagesOf(segmenter->get());
    for (int i = 0; i < 3; ++i) EXPECT_LT(PagesOf(segmenter->get()), 200) << PrecisionName(precision);
  }
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
