// SPDX-License-Identifier: Apache-2.0
#include "server/stream/frame_queue.h"

#include "gmock/gmock.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MATCHER_P(OwnAnswer, index, "") { return arg.index == static_cast<uint64_t>(index) && !arg.superseded_by.has_value(); }
MATCHER_P2(SupersededBy, index, by, "") {
  return arg.index == static_cast<uint64_t>(index) && arg.superseded_by == static_cast<uint64_t>(by);
}

TEST(FrameQueueTest, EveryFrameStartsAtOnceAndAnswersInOrder) {
  FrameQueue queue(FrameQueue::Policy::kEveryFrame);
  EXPECT_EQ(queue.Arrive(0, "left").start, 0u);
  EXPECT_EQ(queue.Arrive(1, "left").start, 1u);
  EXPECT_EQ(queue.unanswered(), 2);
  EXPECT_THAT(queue.Finish(1, "left").answers, IsEmpty()) << "the first is not done";
  EXPECT_THAT(queue.Finish(0, "left").answers, ElementsAre(OwnAnswer(0), OwnAnswer(1)));
  EXPECT_EQ(queue.unanswered(), 0);
}

TEST(FrameQueueTest, CamerasDoNotWaitForEachOther) {
  FrameQueue queue(FrameQueue::Policy::kEveryFrame);
  queue.Arrive(0, "left");
  queue.Arrive(1, "right");
  EXPECT_THAT(queue.Finish(1, "right").answers, ElementsAre(OwnAnswer(1)));
  EXPECT_THAT(queue.Finish(0, "left").answers, ElementsAre(OwnAnswer(0)));
}

TEST(FrameQueueTest, TheLatestFrameWins) {
  FrameQueue queue(FrameQueue::Policy::kLatestFrame);
  EXPECT_EQ(queue.Arrive(0, "left").start, 0u);
  EXPECT_EQ(queue.Arrive(1, "left").start, std::nullopt);
  EXPECT_EQ(queue.Arrive(2, "left").start, std::nullopt);
  EXPECT_EQ(queue.Arrive(3, "left").start, std::nullopt);
  EXPECT_EQ(queue.unanswered(), 4);
  const FrameQueue::Step step = queue.Finish(0, "left");
  EXPECT_EQ(step.start, 3u);
  EXPECT_THAT(step.answers, ElementsAre(OwnAnswer(0), SupersededBy(1, 2), SupersededBy(2, 3)));
  EXPECT_EQ(queue.Arrive(4, "left").start, std::nullopt);
  const FrameQueue::Step next = queue.Finish(3, "left");
  EXPECT_EQ(next.start, 4u);
  EXPECT_THAT(next.answers, ElementsAre(OwnAnswer(3)));
  EXPECT_THAT(queue.Finish(4, "left").answers, ElementsAre(OwnAnswer(4)));
  EXPECT_EQ(queue.unanswered(), 0);
}

TEST(FrameQueueTest, ACamerasFramesAreNotSupersededByAnothers) {
  FrameQueue queue(FrameQueue::Policy::kLatestFrame);
  queue.Arrive(0, "left");
  queue.Arrive(1, "left");
  EXPECT_EQ(queue.Arrive(2, "right").start, 2u);
  EXPECT_EQ(queue.Finish(0, "left").start, 1u);
  EXPECT_THAT(queue.Finish(2, "right").answers, ElementsAre(OwnAnswer(2)));
}

}  // namespace
}  // namespace candor
