// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_run.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/segmentation_stream.h"
#include "core/base/file.h"
#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "tests/client_demo/small_report.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Answers 4x2 pictures: a checkerboard of classes 0 and 1 from the student, all 0 from the teacher. Each call takes one
// millisecond more than the one before.
class FakeClient : public SegmentationClient {
 public:
  absl::StatusOr<SegmentResult> SegmentEncoded(absl::string_view, const SegmentOptions& options) override {
    asked.push_back(options.model);
    SegmentResult result;
    result.round_trip_ms = ++clock_ms;
    result.server_times.infer_ms = static_cast<float>(clock_ms) / 2;
    result.labels = {4, height, {}};
    UncertaintyResult uncertainty;
    uncertainty.figures.kind = options.uncertainty.at(0).kind;
    uncertainty.figures.mean = 0.25F;
    uncertainty.map = {4, height, std::vector<float>(size_t{4} * height, 0.25F)};
    for (int i = 0; i < 4 * height; ++i) {
      result.labels.values.push_back(options.model == "student" ? (i + i / 4) % 2 : 0);
    }
    result.uncertainty.push_back(std::move(uncertainty));
    return result;
  }
  absl::StatusOr<SegmentResult> SegmentRaw(const RawImage&, const SegmentOptions&) override {
    return absl::UnimplementedError("not asked for here");
  }
  absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentEncoded(absl::string_view, const SegmentOptions&,
                                                                   SegmentDone) override {
    return absl::UnimplementedError("not asked for here");
  }
  absl::StatusOr<std::shared_ptr<SegmentCall>> StartSegmentRaw(const RawImage&, const SegmentOptions&,
                                                               SegmentDone) override {
    return absl::UnimplementedError("not asked for here");
  }
  absl::StatusOr<std::unique_ptr<SegmentationStream>> OpenStream(const StreamOptions&) override {
    return absl::UnimplementedError("not asked for here");
  }
  absl::StatusOr<ModelList> ListModels() override { return absl::UnimplementedError("not asked for here"); }
  absl::StatusOr<ModelDescription> GetModel(const std::string& name) override {
    return name == "student" ? models.student : models.teacher;
  }
  absl::StatusOr<HealthState> CheckHealth(const std::string&) override { return HealthState::kServing; }

  DemoReport models = ReportWithoutPictures();
  int height = 2;
  int clock_ms = 0;
  std::vector<std::string> asked;
};

class RunDemoTest : public testing::Test {
 protected:
  RunDemoTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    samples_ = absl::StrCat(testing::TempDir(), "/candor_demo_", test->name());
    std::filesystem::remove_all(samples_);
    std::filesystem::create_directories(samples_);
    options_.samples = samples_;
    options_.calls = 3;
  }
  ~RunDemoTest() override { std::filesystem::remove_all(samples_); }

  void Write(const std::string& name, const std::string& bytes) {
    EXPECT_THAT(WriteFileAtomically(absl::StrCat(samples_, "/", name), bytes), IsOk());
  }
  void WritePicture(const std::string& name) { Write(name, EncodeRgbPng({4, 2, std::vector<uint8_t>(24, 100)})); }
  void WriteTruth(const std::string& name, int width, int height) {
    Write(name, EncodeGreyPng({width, height, std::vector<uint8_t>(static_cast<size_t>(width * height), 1)}));
  }
  absl::StatusOr<DemoReport> Run() {
    return RunDemo(&client_, options_, [this](int index, int count, absl::string_view name) {
      progress_.push_back(absl::StrCat(index, "/", count, " ", name));
    });
  }

  std::string samples_;
  DemoOptions options_;
  FakeClient client_;
  std::vector<std::string> progress_;
};

TEST_F(RunDemoTest, FindsPicturesByNameWithTheirGroundTruth) {
  WritePicture("b.png");
  WritePicture("a.JPG");
  WriteTruth("b_truth.png", 4, 2);
  Write("README.md", "text");
  const auto samples = FindSamples(samples_);
  ASSERT_THAT(samples, IsOk());
  ASSERT_EQ(samples->size(), 2U);
  EXPECT_EQ((*samples)[0].name, "a");
  EXPECT_EQ((*samples)[0].truth, "");
  EXPECT_EQ((*samples)[1].picture, samples_ + "/b.png");
  EXPECT_EQ((*samples)[1].truth, samples_ + "/b_truth.png");
}

TEST_F(RunDemoTest, AFolderWithoutPicturesIsNotFound) {
  EXPECT_THAT(FindSamples(samples_), HasStatus(absl::StatusCode::kNotFound, HasSubstr("no .jpg or .png picture")));
  EXPECT_THAT(FindSamples(samples_ + "/none"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("/none: ")));
}

TEST_F(RunDemoTest, TwoPicturesOfOneNameAreRefused) {
  WritePicture("a.png");
  WritePicture("a.jpg");
  EXPECT_THAT(FindSamples(samples_), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("has the name of")));
}

TEST_F(RunDemoTest, WarmsUpThenTakesTheMedianOfTheTimedCalls) {
  WritePicture("a.png");
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(client_.asked,
              ElementsAre("student", "student", "student", "student", "teacher", "teacher", "teacher", "teacher"));
  // The timed calls are the second to fourth and the sixth to eighth.
  EXPECT_EQ(report->pictures[0].student.round_trip_ms, 3);
  EXPECT_EQ(report->pictures[0].student.infer_ms, 1.5);
  EXPECT_EQ(report->pictures[0].teacher.round_trip_ms, 7);
  EXPECT_EQ(report->calls, 3);
}

TEST_F(RunDemoTest, GathersWhatBothModelsSay) {
  WritePicture("a.png");
  WriteTruth("a_truth.png", 4, 2);
  WritePicture("b.png");
  Write("CREDIT.txt", "by somebody\n");
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->pictures.size(), 2U);
  const DemoPicture& a = report->pictures[0];
  EXPECT_THAT(a.student.labels.values, ElementsAre(0, 1, 0, 1, 1, 0, 1, 0));
  EXPECT_THAT(a.teacher.labels.values, ElementsAre(0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(a.student.uncertainty.values, testing::Each(0.25F));
  EXPECT_EQ(a.student.mean_uncertainty, 0.25);
  EXPECT_EQ(a.input.width, 4);
  ASSERT_TRUE(a.truth.has_value());
  EXPECT_THAT(a.truth->values, testing::Each(1));
  EXPECT_FALSE(report->pictures[1].truth.has_value());
  EXPECT_EQ(report->credit, "by somebody");
  EXPECT_EQ(report->kind.name, "predictive_stddev");
  EXPECT_THAT(progress_, ElementsAre("0/2 a", "1/2 b"));
}

TEST_F(RunDemoTest, GroundTruthOfAnotherSizeIsRefused) {
  WritePicture("a.png");
  WriteTruth("a_truth.png", 2, 4);
  EXPECT_THAT(Run(), HasStatus(absl::StatusCode::kInvalidArgument,
                               HasSubstr("a_truth.png: must be of its picture's size, 4x2, got 2x4")));
}

TEST_F(RunDemoTest, ADamagedPictureIsNamed) {
  Write("a.png", "not a picture");
  EXPECT_THAT(Run(), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("/a.png: ")));
}

TEST_F(RunDemoTest, AnAnswerOfAnotherSizeIsAFault) {
  WritePicture("a.png");
  client_.height = 3;
  EXPECT_THAT(Run(), HasStatus(absl::StatusCode::kInternal, HasSubstr("another size, 4x3")));
}

TEST_F(RunDemoTest, ATeacherWithoutTheStudentsUncertaintyIsRefused) {
  WritePicture("a.png");
  client_.models.teacher.uncertainty = {{"predictive_entropy", "nats", 1.1F}};
  EXPECT_THAT(Run(), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("has no predictive_stddev")));
}

TEST_F(RunDemoTest, ModelsOfOtherClassesAreRefused) {
  WritePicture("a.png");
  client_.models.teacher.classes.pop_back();
  EXPECT_THAT(Run(), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("must have the same classes")));
}

}  // namespace
}  // namespace candor
