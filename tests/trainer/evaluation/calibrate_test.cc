// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/calibrate.h"

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

// A picture of 10 pixels labelled 0 by the fake, of which `wrong` are class 1 in truth; uncertainty green / 255.
LabelledPicture Picture(int green, int wrong) {
  LabelledPicture picture;
  picture.image = {10, 1, {}};
  picture.labels = {10, 1, {}};
  for (int i = 0; i < 10; ++i) {
    picture.image.pixels.insert(picture.image.pixels.end(), {0, static_cast<uint8_t>(green), 0});
    picture.labels.values.push_back(i < wrong ? 1 : 0);
  }
  return picture;
}

class CalibrateTest : public testing::Test {
 protected:
  CalibrateTest() {
    spec_.kind = ModelKind::kStudent;
    spec_.width = 16;
    spec_.classes = {{"background", {0, 0, 0}}, {"thing", {255, 255, 255}}};
    spec_.learned = {UncertaintyKind::kPredictiveStddev};
    spec_.uncertainty = UncertaintyKindsOf(spec_);
    spec_.known_answer.labels.assign(4096, 0);
    spec_.known_answer.uncertainty.assign(4096, 0);
    EXPECT_THAT(WriteBundle(Bundle(), spec_, {TensorFile()}), IsOk());
    options_.data = "folder:data val";
    options_.error_rate = 0.1;
    options_.reject_error_rate = 0.2;
  }

  std::string Bundle() const { return folder_.File("bundle"); }

  absl::StatusOr<std::string> Calibrate(const Dataset& dataset) {
    const auto load = [this](float temperature) -> absl::StatusOr<std::unique_ptr<Segmenter>> {
      temperatures_.push_back(temperature);
      ModelInfo info = FakeModelInfo("bundle", ModelKind::kStudent, 2);
      info.spec.classes = spec_.classes;
      return std::make_unique<FakeSegmenter>(info);
    };
    return CalibrateBundle(Bundle(), load, dataset, options_, {});
  }

  absl::StatusOr<std::string> CalibrateTempered(const Dataset& dataset);

  TemporaryFolder folder_;
  ModelSpec spec_;
  CalibrateOptions options_;
  std::vector<float> temperatures_;
};

// Gives the label's class the odds 1.5 at temperature 1, so that its scores are ln 1.5 apart.
class TemperedSegmenter : public FakeSegmenter {
 public:
  TemperedSegmenter(ModelInfo info, float temperature) : FakeSegmenter(std::move(info)), temperature_(temperature) {}

  absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                         const MemberChecks& checks) override {
    auto answers = FakeSegmenter::SegmentBatch(items, checks);
    if (!answers.ok()) return answers;
    const float sure = 1 / (1 + std::pow(1.5f, -1 / temperature_));
    for (Segmentation& answer : *answers) {
      const size_t pixels = answer.labels.size();
      if (answer.probabilities.empty()) continue;
      for (size_t i = 0; i < pixels; ++i) {
        answer.probabilities[i] = answer.labels[i] == 0 ? sure : 1 - sure;
        answer.probabilities[pixels + i] = 1 - answer.probabilities[i];
      }
    }
    return answers;
  }

 private:
  const float temperature_;
};

absl::StatusOr<std::string> CalibrateTest::CalibrateTempered(const Dataset& dataset) {
  const auto load = [this](float temperature) -> absl::StatusOr<std::unique_ptr<Segmenter>> {
    temperatures_.push_back(temperature);
    ModelInfo info = FakeModelInfo("bundle", ModelKind::kStudent, 2);
    info.spec.classes = spec_.classes;
    return std::make_unique<TemperedSegmenter>(info, temperature);
  };
  return CalibrateBundle(Bundle(), load, dataset, options_, {});
}

TEST_F(CalibrateTest, StoresThresholdsAndReference) {
  // By rising uncertainty the error rates so far are 0, 5, 10, 20 and 36 %.
  const MemoryDataset dataset({Picture(10, 0), Picture(20, 1), Picture(30, 2), Picture(40, 5), Picture(50, 10)});
  const auto text = Calibrate(dataset);
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, HasSubstr("ACCEPT up to"));
  const auto bundle = OpenBundle(Bundle());
  ASSERT_THAT(bundle, IsOk());
  ASSERT_TRUE(bundle->spec.calibration.has_value());
  const Calibration& calibration = *bundle->spec.calibration;
  EXPECT_EQ(calibration.data, "folder:data val");
  EXPECT_EQ(calibration.temperature, 1);
  ASSERT_TRUE(calibration.verdict.has_value());
  EXPECT_NEAR(calibration.verdict->accept_max, 30.0 / 255, 1e-6);
  EXPECT_NEAR(calibration.verdict->review_max, 40.0 / 255, 1e-6);
  ASSERT_TRUE(calibration.reference.has_value());
  ASSERT_EQ(calibration.reference->histogram.size(), kReferenceBins);
  EXPECT_FLOAT_EQ(calibration.reference->histogram[2], 0.2f) << "10 / 255 * 64 lies in bin 2";
}

TEST_F(CalibrateTest, AnErrorLeavesTheBundleAsItWas) {
  const MemoryDataset dataset({Picture(10, 9)});
  EXPECT_EQ(Calibrate(dataset).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(OpenBundle(Bundle())->spec.calibration.has_value());
}

// 30 of 40 pixels are right: the best odds of the label are 3, which 1.5^(1/T) is for T = ln 1.5 / ln 3.
TEST_F(CalibrateTest, TheTemperatureIsSearchedByLoadingTheModelWithIt) {
  options_.fit_temperature = true;
  options_.error_rate = 0.3;
  options_.reject_error_rate = 0.5;
  const MemoryDataset dataset({Picture(10, 2), Picture(20, 3), Picture(30, 2), Picture(40, 3)});
  ASSERT_THAT(CalibrateTempered(dataset), IsOk());
  const float temperature = OpenBundle(Bundle())->spec.calibration->temperature;
  EXPECT_NEAR(temperature, std::log(1.5) / std::log(3.0), 1e-3);
  EXPECT_EQ(temperatures_.back(), temperature) << "the known answer is the one at the temperature stored";
}

// Every pixel is right: the lower the temperature the better, without end.
TEST_F(CalibrateTest, ATemperatureThatCannotBeFittedIsOneLineAndNothingIsWritten) {
  options_.fit_temperature = true;
  const MemoryDataset dataset({Picture(10, 0), Picture(20, 0)});
  const std::string before = Contents(Bundle() + "/model.json");
  const auto text = CalibrateTempered(dataset);
  EXPECT_THAT(text, HasStatus(absl::StatusCode::kFailedPrecondition,
                              "temperature: must have its minimum inside [0.05, 20], the negative log-likelihood falls "
                              "up to 0.05"));
  EXPECT_EQ(Contents(Bundle() + "/model.json"), before);
  EXPECT_FALSE(OpenBundle(Bundle())->spec.calibration.has_value());
}

}  // namespace
}  // namespace candor
