// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/quantise.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/model/bundle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/trainer/data/memory_dataset.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr absl::StatusCode kCannot = absl::StatusCode::kFailedPrecondition;

// Says in int8 another label for the first `wrong` pixels of each picture, and `doubt` more for all.
class RoundingSegmenter : public FakeSegmenter {
 public:
  RoundingSegmenter(ModelInfo info, size_t wrong, float doubt)
      : FakeSegmenter(std::move(info)), wrong_(wrong), doubt_(doubt) {}

  absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                         const MemberChecks& checks) override {
    auto answers = FakeSegmenter::SegmentBatch(items, checks);
    if (!answers.ok()) return answers;
    for (Segmentation& answer : *answers) {
      // The known answer's picture stays as it is.
      if (answer.labels.size() == 4096) continue;
      for (size_t i = 0; i < std::min(wrong_, answer.labels.size()); ++i) answer.labels[i] ^= 1;
      for (float& value : answer.kinds[0].map) value += doubt_;
    }
    return answers;
  }

 private:
  const size_t wrong_;
  const float doubt_;
};

class QuantiseTest : public testing::Test {
 protected:
  QuantiseTest() : info_(FakeModelInfo("bundle", ModelKind::kStudent, 2)) {
    spec_ = info_.spec;
    spec_.width = 16;
    spec_.calibration.reset();
    FakeSegmenter fake(info_);
    const std::vector<KindRequest> kinds = {{spec_.default_kind(), /*want_map=*/true}};
    spec_.known_answer = KnownAnswerOf(*fake.Segment(KnownAnswerPicture(), {kinds}, nullptr));
    EXPECT_THAT(WriteBundle(Bundle(), spec_, {TensorFile()}), IsOk());
  }

  static KnownAnswer KnownAnswerOf(const Segmentation& answer) {
    KnownAnswer known;
    known.labels = answer.labels;
    for (const float value : answer.kinds[0].map) {
      known.uncertainty.push_back(static_cast<uint8_t>(std::lround(value * 255)));
    }
    return known;
  }

  std::string Bundle() const { return folder_.File("bundle"); }

  // Two pictures of 1000 pixels, of which int8 gets `wrong` wrong each.
  absl::StatusOr<std::string> Quantise(size_t wrong, float doubt, bool knows_the_answer = true) {
    LabelledPicture picture;
    picture.image = {50, 20, std::vector<uint8_t>(3000, 0)};
    picture.labels = {50, 20, std::vector<uint8_t>(1000, 0)};
    const MemoryDataset dataset({picture, picture});
    const auto load = [&](const LoadOptions& options,
                          Precision precision) -> absl::StatusOr<std::unique_ptr<Segmenter>> {
      if (options.seen_ranges != nullptr) options.seen_ranges->assign(kEncoderMaps, {-1, 2});
      if (precision == Precision::kFp32) return std::make_unique<FakeSegmenter>(info_);
      used_ = options.encoder_ranges;
      if (knows_the_answer) return std::make_unique<RoundingSegmenter>(info_, wrong, doubt);
      auto model = std::make_unique<FakeSegmenter>(FakeModelInfo("bundle", ModelKind::kStudent, 5));
      return model;
    };
    return QuantiseBundle(Bundle(), load, dataset, "folder:data val", {});
  }

  bool IsAsBefore() const { return !OpenBundle(Bundle())->spec.calibration.has_value(); }

  ModelInfo info_;
  TemporaryFolder folder_;
  ModelSpec spec_;
  std::vector<ValueRange> used_;
};

TEST_F(QuantiseTest, StoresTheRangesOfAModelThatStaysAsItIs) {
  const auto text = Quantise(5, 0.01F);
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, HasSubstr("99.50 % of the pixels keep their label, predictive_stddev differs by 0.0100"));
  EXPECT_EQ(used_.size(), kEncoderMaps);
  const auto bundle = OpenBundle(Bundle());
  ASSERT_THAT(bundle, IsOk());
  ASSERT_TRUE(bundle->spec.calibration.has_value());
  EXPECT_EQ(bundle->spec.calibration->data, "folder:data val");
  ASSERT_EQ(bundle->spec.calibration->encoder_ranges.size(), kEncoderMaps);
  EXPECT_EQ(bundle->spec.calibration->encoder_ranges[7].least, -1);
  EXPECT_EQ(bundle->spec.calibration->encoder_ranges[7].largest, 2);
}

TEST_F(QuantiseTest, RefusesAModelWhoseLabelsChange) {
  EXPECT_THAT(Quantise(6, 0),
              HasStatus(kCannot, HasSubstr("int8: 99.40 % of the pixels keep their label, at least 99.5 % are wanted; "
                                           "the bundle is as before")));
  EXPECT_TRUE(IsAsBefore());
}

TEST_F(QuantiseTest, RefusesAModelWhoseUncertaintyChanges) {
  EXPECT_THAT(Quantise(0, 0.02F), HasStatus(kCannot, HasSubstr("the uncertainty differs by 0.0200 of its range")));
  EXPECT_TRUE(IsAsBefore());
}

TEST_F(QuantiseTest, RefusesAModelThatALoadWouldRefuse) {
  EXPECT_THAT(Quantise(0, 0, /*knows_the_answer=*/false), HasStatus(kCannot, HasSubstr("the bundle is as before")));
  EXPECT_TRUE(IsAsBefore());
}

}  // namespace
}  // namespace candor
