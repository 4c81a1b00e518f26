// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/event_log.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/file_size_limit.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using absl::StatusCode;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

class EventLogTest : public testing::Test {
 protected:
  static RunStart StartAt(int64_t step) {
    RunStart start;
    start.name = "member 3";
    start.steps = 12;
    start.first_step = step;
    start.steps_per_epoch = 4;
    start.epochs = 3;
    return start;
  }

  static StepRecord StepOf(int64_t step, double loss) {
    StepRecord record;
    record.step = step;
    record.epoch = static_cast<double>(step) / 4;
    record.images = 2;
    record.loss = loss;
    record.segmentation_loss = loss / 2;
    record.uncertainty_loss = loss / 4;
    record.learning_rate = 0.01;
    record.seconds = 0.5;
    record.data_seconds = 0.125;
    return record;
  }

  // "start 0", "step 2", ...
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const json& event : Events()) {
      lines.push_back(event["event"].get<std::string>() + " " + event["step"].dump());
    }
    return lines;
  }

  std::vector<json> Events() const {
    std::vector<json> events;
    for (const auto line : absl::StrSplit(Contents(File()), '\n', absl::SkipEmpty())) {
      events.push_back(json::parse(line.begin(), line.end()));
    }
    return events;
  }

  // A run that logs each step from `first` to `last`.
  void LogRun(int64_t first, int64_t last) const {
    const auto log = MakeEventLog(folder_.path(), 1);
    ASSERT_THAT(log->OnStart(StartAt(first)), IsOk());
    for (int64_t step = first + 1; step <= last; ++step) ASSERT_THAT(log->OnStep(StepOf(step, 1)), IsOk());
  }

  std::string File() const { return folder_.File("events.jsonl"); }

  TemporaryFolder folder_;
};

TEST_F(EventLogTest, EveryEventIsALineThatIsThereAtOnce) {
  const auto log = MakeEventLog(folder_.path(), 1);
  ASSERT_THAT(log->OnStart(StartAt(0)), IsOk());
  EXPECT_THAT(Lines(), ElementsAre("start 0"));
  ASSERT_THAT(log->OnStep(StepOf(1, 2)), IsOk());
  ASSERT_THAT(log->OnValidation({1, 0.25, 0.5, 0.75, 0.1, 0.6, 3}), IsOk());
  ASSERT_THAT(log->OnEnd("done"), IsOk());
  EXPECT_THAT(Lines(), ElementsAre("start 0", "step 1", "validation 1", "end 1"));
  const std::vector<json> events = Events();
  EXPECT_EQ(events[0]["run"], "member 3");
  EXPECT_EQ(events[0]["steps"], 12);
  EXPECT_EQ(events[0]["steps_per_epoch"], 4);
  EXPECT_THAT(events[0]["time"].get<std::string>(), MatchesRegex("20..-..-..T..:..:..\\....Z"));
  EXPECT_EQ(events[1]["loss"], 2.0);
  EXPECT_EQ(events[1]["segmentation_loss"], 1.0);
  EXPECT_EQ(events[1]["uncertainty_loss"], 0.5);
  EXPECT_EQ(events[1]["epoch"], 0.25);
  EXPECT_EQ(events[1]["images_per_second"], 4.0);
  EXPECT_EQ(events[1]["data_share"], 0.25);
  EXPECT_EQ(events[2]["miou"], 0.5);
  EXPECT_EQ(events[2]["accuracy"], 0.75);
  EXPECT_EQ(events[2]["munc"], 0.1);
  EXPECT_EQ(events[2]["best_miou"], 0.6);
  EXPECT_EQ(events[3]["outcome"], "done");
}

TEST_F(EventLogTest, ALineHasTheMeanOfTheStepsSinceTheOneBefore) {
  const auto log = MakeEventLog(folder_.path(), 2);
  ASSERT_THAT(log->OnStart(StartAt(0)), IsOk());
  int64_t step = 0;
  for (const double loss : {1.0, 2.0, 3.0, 7.0, 100.0}) ASSERT_THAT(log->OnStep(StepOf(++step, loss)), IsOk());
  EXPECT_THAT(Lines(), ElementsAre("start 0", "step 2", "step 4"));
  EXPECT_EQ(Events()[1]["loss"], 1.5);
  EXPECT_EQ(Events()[2]["loss"], 5.0);
}

TEST_F(EventLogTest, StepsThatAreDoneAgainAreDropped) {
  LogRun(0, 5);
  LogRun(3, 4);
  EXPECT_THAT(Lines(), ElementsAre("start 0", "step 1", "step 2", "step 3", "start 3", "step 4"));
}

TEST_F(EventLogTest, AHalfWrittenLineIsDropped) {
  LogRun(0, 2);
  const std::string text = Contents(File());
  WriteContents(File(), text.substr(0, text.size() - 10));
  LogRun(2, 3);
  EXPECT_THAT(Lines(), ElementsAre("start 0", "step 1", "start 2", "step 3"));
}

TEST_F(EventLogTest, WhatIsNoEventIsDropped) {
  WriteContents(File(), "[1]\n{\"step\": \"x\"}\n{}\nnonsense\n\xff\xfe\n{\"event\": \"step\", \"step\": 1}\n");
  LogRun(1, 1);
  EXPECT_THAT(Lines(), ElementsAre("step 1", "start 1"));
}

TEST_F(EventLogTest, ARunThatBeginsAnewBeginsANewFile) {
  LogRun(0, 5);
  LogRun(0, 1);
  EXPECT_THAT(Lines(), ElementsAre("start 0", "step 1"));
}

TEST_F(EventLogTest, TextThatIsNoUtf8StaysJson) {
  const auto log = MakeEventLog(folder_.path(), 1);
  ASSERT_THAT(log->OnStart(StartAt(0)), IsOk());
  ASSERT_THAT(log->OnEnd("bad \xff file\nname"), IsOk());
  EXPECT_THAT(Lines(), ElementsAre("start 0", "end 0"));
}

TEST_F(EventLogTest, AMissingFolderIsDataLoss) {
  const auto log = MakeEventLog(folder_.File("missing"), 1);
  EXPECT_THAT(log->OnStart(StartAt(0)), HasStatus(StatusCode::kDataLoss, HasSubstr("missing/events.jsonl")));
  EXPECT_THAT(log->OnEnd("done"), IsOk());
}

TEST_F(EventLogTest, AFullDiskIsDataLoss) {
  const auto log = MakeEventLog(folder_.path(), 1);
  ASSERT_THAT(log->OnStart(StartAt(0)), IsOk());
  const FileSizeLimit limit(200);
  EXPECT_THAT(log->OnStep(StepOf(1, 1)), HasStatus(StatusCode::kDataLoss, HasSubstr("events.jsonl")));
}

}  // namespace
}  // namespace candor
