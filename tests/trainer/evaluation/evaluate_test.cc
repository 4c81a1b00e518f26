// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/evaluate.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/trainer/data/memory_dataset.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

// 4x2 pixels; label and uncertainty of the fake follow from red and green.
LabelledPicture Picture(const std::vector<uint8_t>& red, const std::vector<uint8_t>& green,
                        const std::vector<uint8_t>& truth) {
  LabelledPicture picture;
  picture.image = {4, 2, {}};
  picture.labels = {4, 2, truth};
  for (size_t i = 0; i < red.size(); ++i)
    picture.image.pixels.insert(picture.image.pixels.end(), {red[i], green[i], 0});
  return picture;
}

// Eight pixels: three right, two wrong, three void; the wrong ones are the most uncertain.
LabelledPicture MixedPicture() {
  return Picture({0, 0, 1, 1, 0, 0, 0, 0}, {10, 20, 30, 200, 250, 40, 40, 40}, {0, 0, 1, 0, 1, 255, 255, 255});
}

ModelInfo Model(ModelKind kind = ModelKind::kStudent) {
  ModelInfo info = FakeModelInfo("model", kind, 2);
  info.spec.classes = {{"background", {0, 0, 0}}, {"thing", {255, 255, 255}}};
  return info;
}

TEST(EvaluateTest, CountsLabelledPixelsOnceAndLeavesVoidOut) {
  FakeSegmenter model(Model());
  const MemoryDataset dataset({MixedPicture(), MixedPicture()});
  const auto result = Evaluate(&model, nullptr, dataset, {});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->pictures, 2);
  EXPECT_EQ(result->pixels, 10);
  EXPECT_EQ(result->void_pixels, 6);
  EXPECT_DOUBLE_EQ(result->accuracy, 0.6);
  // Class 0: TP 2, FP 1, FN 1; class 1: TP 1, FP 1, FN 1.
  EXPECT_DOUBLE_EQ(result->miou, (0.5 + 1.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(result->kinds[0].errors.auroc, 1);
  EXPECT_EQ(result->model, "model");
  EXPECT_TRUE(result->fidelity.empty());
  // The fake is 0.9 sure of its label: |0.9 - 0.6| in one bin.
  EXPECT_NEAR(result->calibration.ece, 0.3, 1e-6);
}

TEST(EvaluateTest, ATeacherThatSaysTheSameAgreesFully) {
  FakeSegmenter model(Model());
  FakeSegmenter teacher(Model(ModelKind::kEnsemble));
  const MemoryDataset dataset({MixedPicture()});
  const auto result = Evaluate(&model, &teacher, dataset, {});
  ASSERT_THAT(result, IsOk());
  ASSERT_FALSE(result->fidelity.empty());
  EXPECT_EQ(result->fidelity[0].kind, UncertaintyKind::kPredictiveStddev);
  EXPECT_EQ(result->fidelity[0].mae, 0);
  EXPECT_DOUBLE_EQ(result->fidelity[0].label_agreement, 1);
  EXPECT_NEAR(result->fidelity[0].pearson, 1, 1e-9);
}

TEST(EvaluateTest, OtherClassesAreRefused) {
  FakeSegmenter model(Model());
  FakeSegmenter other(FakeModelInfo("other", ModelKind::kEnsemble, 2));
  const MemoryDataset dataset({MixedPicture()});
  EXPECT_THAT(Evaluate(&model, &other, dataset, {}),
              HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr("teacher"), HasSubstr("class0, class1"))));
  EXPECT_THAT(Evaluate(&other, nullptr, dataset, {}),
              HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr("data"), HasSubstr("background, thing"))));
}

TEST(EvaluateTest, AnErrorNamesThePicture) {
  FakeSegmenter model(Model());
  model.FailWith(absl::InternalError("broken"));
  EXPECT_THAT(Evaluate(&model, nullptr, MemoryDataset({MixedPicture()}), {}),
              HasStatus(StatusCode::kInternal, HasSubstr("picture0: broken")));
}

TEST(EvaluateTest, StopsWhenAskedAndTellsHowFarItIs) {
  FakeSegmenter model(Model());
  std::vector<int> seen;
  EvaluationControl control;
  control.on_progress = [&seen](const EvaluationProgress& progress) { seen.push_back(progress.done); };
  control.stop_requested = [&seen] { return seen.size() == 2; };
  const MemoryDataset dataset({MixedPicture(), MixedPicture(), MixedPicture()});
  EXPECT_EQ(Evaluate(&model, nullptr, dataset, control).status().code(), StatusCode::kCancelled);
  EXPECT_THAT(seen, testing::ElementsAre(0, 1));
}

class EvaluateUnknownTest : public testing::Test {
 protected:
  EvaluateUnknownTest() {
    std::filesystem::create_directories(folder_.File("images"));
    std::filesystem::create_directories(folder_.File("labels_masks"));
  }

  void Write(const std::string& name, const std::vector<uint8_t>& green, const std::vector<uint8_t>& mask) {
    const LabelledPicture picture = Picture(std::vector<uint8_t>(8, 0), green, mask);
    WriteContents(folder_.File(absl::StrCat("images/", name, ".png")), EncodeRgbPng(picture.image));
    WriteContents(folder_.File(absl::StrCat("labels_masks/", name, "_labels_semantic.png")),
                  EncodeGreyPng(picture.labels));
  }

  TemporaryFolder folder_;
  FakeSegmenter model_{Model()};
};

TEST_F(EvaluateUnknownTest, RanksUnknownPixelsByUncertainty) {
  // Of 3 unknown and 4 ordinary pixels, one unknown lies below one ordinary: 11 of 12 pairs are in order.
  Write("a", {10, 20, 30, 100, 90, 150, 200, 0}, {0, 0, 0, 0, 1, 1, 1, 255});
  EvaluationResult result = *Evaluate(&model_, nullptr, MemoryDataset({MixedPicture()}), {});
  ASSERT_THAT(EvaluateUnknown(&model_, folder_.path(), {}, &result), IsOk());
  ASSERT_TRUE(result.kinds[0].unknown.has_value());
  EXPECT_NEAR(result.kinds[0].unknown->auroc, 11.0 / 12, 1e-9);
  EXPECT_EQ(result.kinds[0].unknown->positives, 3);
  EXPECT_EQ(result.pixels, 5) << "the split's own figures stay";
}

TEST_F(EvaluateUnknownTest, NeedsBothKindsOfPixels) {
  Write("a", std::vector<uint8_t>(8, 9), std::vector<uint8_t>(8, 0));
  EvaluationResult result = *Evaluate(&model_, nullptr, MemoryDataset({MixedPicture()}), {});
  EXPECT_THAT(EvaluateUnknown(&model_, folder_.path(), {}, &result),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("unknown objects (1)")));
}

TEST_F(EvaluateUnknownTest, FoldersWithoutPairsAreRefused) {
  EvaluationResult result;
  EXPECT_THAT(EvaluateUnknown(&model_, folder_.path(), {}, &result),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("has a mask")));
  EXPECT_EQ(EvaluateUnknown(&model_, folder_.File("nothing"), {}, &result).code(), StatusCode::kNotFound);
}

// Four pictures: picture1 is the worst, picture2 the most uncertain.
class WritePicturesTest : public testing::Test {
 protected:
  static MemoryDataset MakeDataset() {
    const std::vector<uint8_t> none(8, 0);
    const LabelledPicture good = Picture(none, none, none);
    const LabelledPicture unsure = Picture(none, std::vector<uint8_t>(8, 255), none);
    return MemoryDataset({good, MixedPicture(), unsure, good});
  }

  // The names of the pictures whose files were noted, each of which must be there; sorted.
  std::vector<std::string> Written() const {
    std::vector<std::string> names;
    for (const PictureFigures& figures : result_.picture_figures) {
      if (figures.error_file.empty()) continue;
      EXPECT_TRUE(std::filesystem::exists(folder_.File(figures.error_file))) << figures.error_file;
      names.push_back(figures.name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const TemporaryFolder folder_;
  FakeSegmenter model_ = FakeSegmenter(Model());
  const MemoryDataset dataset_ = MakeDataset();
  EvaluationResult result_ = *Evaluate(&model_, nullptr, dataset_, {});
};

TEST_F(WritePicturesTest, WritesTheWorstAndTheMostUncertain) {
  ASSERT_THAT(WritePictures(&model_, dataset_, {1, {}}, folder_.path(), "pictures", {}, &result_), IsOk());
  EXPECT_EQ(Written(), (std::vector<std::string>{"picture1", "picture2"}));
}

TEST_F(WritePicturesTest, WritesThoseAskedForByNameOnce) {
  ASSERT_THAT(WritePictures(&model_, dataset_, {1, {"picture3", "picture1"}}, folder_.path(), "pictures", {}, &result_),
              IsOk());
  EXPECT_EQ(Written(), (std::vector<std::string>{"picture1", "picture2", "picture3"}));
}

TEST_F(WritePicturesTest, ANameThatTheSplitHasNotIsSaid) {
  EXPECT_THAT(WritePictures(&model_, dataset_, {0, {"nobody"}}, folder_.path(), "pictures", {}, &result_),
              HasStatus(StatusCode::kNotFound, HasSubstr("no picture nobody")));
}

}  // namespace
}  // namespace candor
