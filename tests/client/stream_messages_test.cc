// SPDX-License-Identifier: Apache-2.0
//
// Answers that do not fit the stream.
#include "client/stream_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

class UnansweredFramesTest : public testing::Test {
 protected:
  uint64_t Send(const std::string& camera) {
    UnansweredFrames::Frame frame;
    frame.request.mutable_frame()->set_camera(camera);
    return frames_.Add(std::move(frame));
  }
  static v1::StreamResponse Answer(uint64_t index, const std::string& camera) {
    v1::StreamResponse answer;
    answer.set_index(index);
    answer.mutable_frame()->set_camera(camera);
    return answer;
  }
  auto IsWrong(const std::string& why) const { return HasStatus(absl::StatusCode::kInternal, HasSubstr(why)); }

  UnansweredFrames frames_;
};

TEST_F(UnansweredFramesTest, CamerasDoNotWaitForEachOther) {
  EXPECT_EQ(Send("left"), 0u);
  EXPECT_EQ(Send("right"), 1u);
  EXPECT_EQ(Send("left"), 2u);
  EXPECT_THAT(frames_.Take(Answer(1, "right")), IsOk());
  EXPECT_THAT(frames_.Take(Answer(2, "left")), IsWrong("frame 0 of the same camera is to be answered first"));
  EXPECT_THAT(frames_.Take(Answer(0, "left")), IsOk());
  EXPECT_THAT(frames_.Take(Answer(2, "left")), IsOk());
  EXPECT_EQ(frames_.sent(), 3u);
}

TEST_F(UnansweredFramesTest, RefusesAnswersToWhatWasNotAskedOrWasAnswered) {
  Send("left");
  EXPECT_THAT(frames_.Take(Answer(1, "left")), IsWrong("no such frame is unanswered, of 1 sent"));
  EXPECT_THAT(frames_.Take(Answer(0, "right")), IsWrong("frame: must be as sent"));
  EXPECT_THAT(frames_.Take(Answer(0, "left")), IsOk());
  EXPECT_THAT(frames_.Take(Answer(0, "left")), IsWrong("no such frame"));
}

TEST_F(UnansweredFramesTest, APreliminaryAnswerComesOnceInAnyOrderAndLeavesTheFrameUnanswered) {
  Send("left");
  UnansweredFrames::Frame frame;
  frame.request.mutable_frame()->set_camera("left");
  frame.request.mutable_escalation();
  frames_.Add(std::move(frame));
  v1::StreamResponse early = Answer(1, "left");
  early.mutable_preliminary();
  EXPECT_THAT(frames_.Take(early), IsOk()) << "though frame 0 waits";
  EXPECT_THAT(frames_.Take(early), IsWrong("preliminary: came twice"));
  early.set_index(0);
  EXPECT_THAT(frames_.Take(early), IsWrong("preliminary: no escalation was asked for"));
  EXPECT_THAT(frames_.Take(Answer(0, "left")), IsOk());
  EXPECT_THAT(frames_.Take(Answer(1, "left")), IsOk());
  early.set_index(1);
  EXPECT_THAT(frames_.Take(early), IsWrong("no such frame"));
}

TEST_F(UnansweredFramesTest, OnlyANewerFrameOfTheCameraSupersedes) {
  Send("left");
  Send("right");
  Send("left");
  v1::StreamResponse answer = Answer(0, "left");
  for (const uint64_t by : {0, 1, 3}) {
    answer.mutable_superseded()->set_by_index(by);
    EXPECT_THAT(frames_.Take(answer), IsWrong("superseded.by_index")) << by;
  }
  answer.mutable_superseded()->set_by_index(2);
  EXPECT_THAT(frames_.Take(answer), IsOk());
}

TEST(ReadStreamAnswerTest, RefusesWhatSaysNothing) {
  v1::StreamResponse answer;
  EXPECT_THAT(ReadStreamAnswer({}, answer), HasStatus(absl::StatusCode::kInternal, HasSubstr("must have a result")));
  for (const int code : {0, 17, -1}) {
    answer.mutable_error()->set_code(code);
    EXPECT_THAT(ReadStreamAnswer({}, answer), HasStatus(absl::StatusCode::kInternal, HasSubstr("error.code")));
  }
}

TEST(ReadStreamStatisticsTest, RefusesNumbersThatDoNotAddUp) {
  v1::StreamResponse answer;
  answer.set_index(10);
  v1::StreamStatistics* statistics = answer.mutable_statistics();
  statistics->set_frames(10);
  statistics->set_answered(4);
  statistics->set_superseded(3);
  statistics->set_late(2);
  statistics->set_failed(1);
  statistics->set_mean_latency_ms(1.5);
  statistics->set_max_latency_ms(2.5);
  const auto read = ReadStreamStatistics(12, answer);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->statistics()->late, 2u);
  EXPECT_EQ(read->statistics()->max_latency_ms, 2.5);
  EXPECT_THAT(ReadStreamStatistics(9, answer), HasStatus(absl::StatusCode::kInternal, HasSubstr("of 9 sent")));
  statistics->set_mean_latency_ms(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(ReadStreamStatistics(12, answer), HasStatus(absl::StatusCode::kInternal, HasSubstr("finite")));
  statistics->set_mean_latency_ms(1);
  statistics->set_answered(5);
  EXPECT_THAT(ReadStreamStatistics(12, answer),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("10 frames, of them 11 ended")));
}

}  // namespace
}  // namespace candor
