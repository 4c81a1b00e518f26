// SPDX-License-Identifier: Apache-2.0
//
// Models in 8 bits by ranges measured on the sample pictures of this repository.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/engine/cpu_features.h"
#include "core/segmenter/segmenter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/shipped_model.h"
#include "tests/core/segmenter/small_bundle.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr absl::StatusCode kCannot = absl::StatusCode::kFailedPrecondition;

class ShippedInt8Test : public testing::TestWithParam<const char*> {};

TEST_P(ShippedInt8Test, KeepsLabelsAndUncertaintyOfOtherPictures) {
  if (!HasNativeInt8()) GTEST_SKIP() << "no products of bytes on this processor";
  std::vector<ValueRange> ranges;
  LoadOptions measuring;
  measuring.seen_ranges = &ranges;
  const auto fp32 = LoadShipped(GetParam(), measuring);
  ASSERT_THAT(fp32, IsOk());
  for (const char* picture : {"0001TP_008550.jpg", "Seq05VD_f01740.jpg"}) Answer(fp32->get(), picture);
  ASSERT_EQ(ranges.size(), kEncoderMaps);
  for (const ValueRange& range : ranges) EXPECT_GT(range.largest, 0);
  // What a downsampling gives has both signs, all else has been through a ReLU.
  EXPECT_EQ(std::count_if(ranges.begin(), ranges.end(), [](const ValueRange& range) { return range.least < 0; }), 3);

  LoadOptions options;
  options.precision = Precision::kInt8;
  options.encoder_ranges = ranges;
  const auto int8 = LoadShipped(GetParam(), options);
  ASSERT_THAT(int8, IsOk());
  EXPECT_EQ((*int8)->info().precision, "int8");
  const auto [share, mean] = Compare(fp32->get(), int8->get(), {"Seq05VD_f03540.jpg", "Seq05VD_f05040.jpg"});
  EXPECT_GE(share, 0.98);
  EXPECT_LE(mean, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Models, ShippedInt8Test, testing::Values("camvid-student", "camvid-teacher"));

class RefusedInt8Test : public testing::Test {
 protected:
  ~RefusedInt8Test() override { std::filesystem::remove_all(folder_); }

  absl::Status Load(const LoadOptions& options) { return LoadSegmenter(folder_, options).status(); }

  const std::string folder_ = absl::StrCat(testing::TempDir(), "int8_model");
};

TEST_F(RefusedInt8Test, AModelWithoutRanges) {
  WriteSmallBundle(folder_, ModelKind::kStudent, 1);
  LoadOptions options;
  options.precision = Precision::kInt8;
  EXPECT_THAT(
      Load(options),
      HasStatus(kCannot, HasSubstr("precision int8: the bundle has no ranges for it, which candor-train quantise "
                                   "measures")));
}

TEST_F(RefusedInt8Test, ANetworkThatIsNotCompiled) {
  WriteSmallBundle(folder_, ModelKind::kSingle, 1, [](ModelSpec& spec) {
    spec.sampling.method = SamplingMethod::kMcDropout;
    spec.sampling.passes = 2;
    spec.sampling.dropout = 0.2F;
    spec.uncertainty = UncertaintyKindsOf(spec);
  });
  LoadOptions options;
  options.precision = Precision::kInt8;
  options.encoder_ranges.resize(kEncoderMaps);
  const char* reason = "precision int8: a model that samples with dropout computes in fp32";
  EXPECT_THAT(Load(options), HasStatus(kCannot, HasSubstr(reason)));
  std::vector<ValueRange> ranges;
  LoadOptions measuring;
  measuring.seen_ranges = &ranges;
  EXPECT_THAT(Load(measuring), HasStatus(kCannot, HasSubstr(reason)));
}

// A range that fits nothing gives another answer than the known one, which refuses the load.
TEST_F(RefusedInt8Test, RangesOfAnotherModel) {
  if (!HasNativeInt8()) GTEST_SKIP() << "no products of bytes on this processor";
  WriteSmallBundle(folder_, ModelKind::kStudent, 1, [](ModelSpec& spec) {
    spec.calibration.emplace();
    spec.calibration->encoder_ranges.assign(kEncoderMaps, {0, 1e-6F});
  });
  LoadOptions options;
  options.precision = Precision::kInt8;
  EXPECT_EQ(Load(options).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace candor
