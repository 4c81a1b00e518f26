// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/predict_split.h"

#include <filesystem>
#include <memory>
#include <string>

#include "core/base/npy.h"
#include "core/image/decode.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/test_images.h"
#include "tests/trainer/data/memory_dataset.h"

namespace candor {
namespace {

using testing::HasSubstr;

class PredictSplitTest : public testing::Test {
 protected:
  PredictSplitTest() { options_.out = folder_.File("out"); }

  absl::Status Predict(PredictionLayout layout, UncertaintyKind kind) {
    options_.layout = layout;
    options_.kind = kind;
    return PredictSplit(&model_, dataset_, options_, {});
  }
  std::string Out(const std::string& name) const { return Contents(options_.out + "/" + name); }

  TemporaryFolder folder_;
  // Red 7: label 7 % 2 = 1 everywhere. Green is the column: uncertainty x / 255.
  MemoryDataset dataset_{{MakePicture(20, 14, 7, 0)}};
  FakeSegmenter model_{FakeModelInfo("model", ModelKind::kStudent, 2)};
  PredictionOptions options_;
};

TEST_F(PredictSplitTest, PlainFilesHaveLabelsAndValues) {
  ASSERT_THAT(Predict(PredictionLayout::kPlain, UncertaintyKind::kPredictiveStddev), IsOk());
  const auto labels = DecodeLabelPng(Out("picture0_labels.png"), {});
  ASSERT_THAT(labels, IsOk());
  EXPECT_THAT(labels->values, testing::Each(1));
  const auto map = DecodeNpy(Out("picture0_predictive_stddev.npy"));
  ASSERT_THAT(map, IsOk());
  EXPECT_EQ(map->width, 20);
  EXPECT_EQ(map->height, 14);
  EXPECT_FLOAT_EQ(map->values[19], 19.0f / 255);
}

TEST_F(PredictSplitTest, BravoFilesHaveConfidenceIn16Bits) {
  ASSERT_THAT(Predict(PredictionLayout::kBravo, UncertaintyKind::kMaxProbability), IsOk());
  EXPECT_THAT(DecodeLabelPng(Out("picture0_pred.png"), {}), IsOk());
  const PngContents confidence = ReadPng(Out("picture0_conf.png"));
  EXPECT_EQ(confidence.depth, 16);
  EXPECT_EQ(confidence.rows[0] * 256 + confidence.rows[1], 65535) << "certain at column 0";
  EXPECT_EQ(confidence.rows[38] * 256 + confidence.rows[39], 65535 - 19 * 257) << "1 - 19 / 255 at column 19";
}

TEST_F(PredictSplitTest, SegmentMeIfYouCanFilesAreArraysByName) {
  ASSERT_THAT(Predict(PredictionLayout::kSegmentMeIfYouCan, UncertaintyKind::kPredictiveEntropy), IsOk());
  EXPECT_THAT(DecodeNpy(Out("anomaly_p/picture0.npy")), IsOk());
}

TEST_F(PredictSplitTest, MembersHaveTheirOwnProbabilities) {
  const auto load = [](int) -> absl::StatusOr<std::unique_ptr<Segmenter>> {
    return std::make_unique<FakeSegmenter>(FakeModelInfo("member", ModelKind::kSingle, 2));
  };
  ASSERT_THAT(PredictMembers(2, load, dataset_, options_.out, {}), IsOk());
  for (const char* member : {"members/0", "members/1"}) {
    const auto softmax = DecodeNpyArray(Out(std::string(member) + "/picture0_softmax.npy"));
    ASSERT_THAT(softmax, IsOk()) << member;
    EXPECT_THAT(softmax->shape, testing::ElementsAre(2, 14, 20));
    EXPECT_FLOAT_EQ(softmax->values[0] + softmax->values[14 * 20], 1);
  }
}

TEST_F(PredictSplitTest, AFolderThatCannotBeMadeIsAnError) {
  WriteContents(folder_.File("file"), "");
  options_.out = folder_.File("file/out");
  EXPECT_THAT(Predict(PredictionLayout::kPlain, UncertaintyKind::kPredictiveStddev),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("file/out")));
}

}  // namespace
}  // namespace candor
