// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/training_events.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

TEST(TrainingEventsTest, ReadsMembersByNumberThenTheStudent) {
  const TemporaryFolder run;
  for (const char* folder : {"members/0", "members/1", "distillation"}) {
    std::filesystem::create_directories(run.File(folder));
    WriteContents(run.File(std::string(folder) + "/events.jsonl"),
                  R"({"event":"start","step":0,"steps":4}
{"event":"step","step":2,"epoch":0.5,"loss":1.5,"learning_rate":0.01,"images_per_second":30}
{"event":"validation","step":4,"epoch":1,"miou":0.4}
{"event":"step","step":4,"epo)");
  }
  const auto curves = ReadTrainingCurves(run.path());
  ASSERT_THAT(curves, IsOk());
  ASSERT_EQ(curves->size(), 3u);
  EXPECT_EQ((*curves)[1].name, "member 1");
  EXPECT_EQ((*curves)[2].name, "student");
  const TrainingCurve& curve = (*curves)[0];
  ASSERT_EQ(curve.points.size(), 2u) << "neither the start nor the half line";
  EXPECT_EQ(curve.points[0].loss, 1.5);
  EXPECT_EQ(curve.points[1].validation_miou, 0.4);
  EXPECT_NE(curve.points[0].validation_miou, curve.points[0].validation_miou) << "not said: NaN";
}

TEST(TrainingEventsTest, AFolderWithoutEventsIsNotFound) {
  const TemporaryFolder run;
  EXPECT_THAT(ReadTrainingCurves(run.path()),
              HasStatus(absl::StatusCode::kNotFound, testing::HasSubstr("events.jsonl")));
}

}  // namespace
}  // namespace candor
