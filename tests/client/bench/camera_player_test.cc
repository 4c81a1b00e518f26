// SPDX-License-Identifier: Apache-2.0
#include "client/bench/camera_player.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;

// Answers each frame at once: "late", "fail" and "superseded" as such. Takes no frame while it is blocked.
class FakeStream : public SegmentationStream {
 public:
  absl::StatusOr<uint64_t> SendEncoded(absl::string_view bytes, const SegmentOptions& options,
                                       absl::Duration patience) override {
    absl::MutexLock lock(&mu_);
    if (count_ == 0) mu_.AwaitWithTimeout(absl::Condition(&is_ended_), first_takes_);
    if (!mu_.AwaitWithTimeout(absl::Condition(&is_open_), patience)) return absl::ResourceExhaustedError("on its way");
    if (!broken_.ok()) return absl::FailedPreconditionError("the stream has ended");
    StreamAnswer answer;
    answer.index = count_++;
    answer.frame = options.frame;
    if (bytes == "late") {
      answer.outcome = absl::DeadlineExceededError("late");
    } else if (bytes == "fail") {
      answer.outcome = absl::InternalError("bad");
    } else if (bytes == "superseded") {
      answer.outcome = Superseded{count_};
    }
    answers_.push_back(std::move(answer));
    return count_ - 1;
  }
  absl::StatusOr<uint64_t> SendRaw(const RawImage& image, const SegmentOptions& options,
                                   absl::Duration patience) override {
    return SendEncoded(image.data, options, patience);
  }
  void DoneSending() override {
    StreamAnswer last;
    absl::MutexLock lock(&mu_);
    last.outcome = StreamStatistics{count_, count_, 0, 0, 0, 0, 0};
    answers_.push_back(std::move(last));
  }
  absl::StatusOr<StreamAnswer> Next() override {
    const auto can_answer = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return !answers_.empty() || is_ended_ || !broken_.ok();
    };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&can_answer));
    if (!broken_.ok()) return broken_;
    if (is_ended_) return absl::OutOfRangeError("the stream has ended");
    StreamAnswer answer = std::move(answers_.front());
    answers_.pop_front();
    is_ended_ = answer.statistics() != nullptr;
    return answer;
  }
  bool HasNext() const override { return true; }
  void Cancel() override {}

  void Block() {
    absl::MutexLock lock(&mu_);
    is_open_ = false;
  }
  void TakeForFirst(absl::Duration time) {
    absl::MutexLock lock(&mu_);
    first_takes_ = time;
  }
  // Unblocks, and ends with an error if that is one.
  void Break(absl::Status status) {
    absl::MutexLock lock(&mu_);
    broken_ = std::move(status);
    is_open_ = true;
  }

 private:
  absl::Mutex mu_;
  bool is_open_ ABSL_GUARDED_BY(mu_) = true;
  absl::Duration first_takes_ ABSL_GUARDED_BY(mu_);
  bool is_ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status broken_ ABSL_GUARDED_BY(mu_);
  uint64_t count_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<StreamAnswer> answers_ ABSL_GUARDED_BY(mu_);
};

class PlayCamerasTest : public testing::Test {
 protected:
  // Pictures of these bytes, once.
  static NextPicture Pictures(std::vector<std::string> bytes) {
    return [bytes = std::move(bytes)](int64_t sequence, double) -> absl::StatusOr<PicturePointer> {
      if (sequence >= static_cast<int64_t>(bytes.size())) return nullptr;
      return std::make_shared<LoadPicture>(LoadPicture{"name", bytes[static_cast<size_t>(sequence)], {}});
    };
  }
  absl::StatusOr<StreamStatistics> Play(const NextPicture& pictures) {
    plan_.start = std::chrono::steady_clock::now();
    return PlayCameras(plan_, {}, pictures, &stream_,
                       [this](PlayedFrame frame) { frames_.push_back(std::move(frame)); });
  }
  std::vector<FrameFate> Fates() const {
    std::vector<FrameFate> fates;
    for (const PlayedFrame& frame : frames_) fates.push_back(frame.fate);
    return fates;
  }

  CameraPlan plan_;
  FakeStream stream_;
  std::vector<PlayedFrame> frames_;
};

TEST_F(PlayCamerasTest, FramesOfAllCamerasComeAtTheirTimes) {
  plan_.cameras = 2;
  plan_.rate = 100;
  plan_.offset_s = 0.02;
  const auto statistics = Play(Pictures({"a", "b", "c"}));
  ASSERT_THAT(statistics, IsOk());
  EXPECT_EQ(statistics->frames, 6u);
  ASSERT_EQ(frames_.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    const PlayedFrame& frame = frames_[i];
    EXPECT_EQ(frame.camera, i % 2);
    EXPECT_EQ(frame.camera_name, i % 2 == 0 ? "camera0" : "camera1");
    EXPECT_EQ(frame.sequence, i / 2);
    EXPECT_EQ(frame.picture->file_bytes, std::string(1, static_cast<char>('a' + i / 2)));
    EXPECT_DOUBLE_EQ(frame.due_s, 0.02 + 0.005 * i);
    EXPECT_GE(frame.sent_s, frame.due_s);
    EXPECT_GE(frame.latency_ms(), (frame.sent_s - frame.due_s) * 1e3);
    EXPECT_EQ(frame.answer.frame->sequence, static_cast<uint64_t>(i / 2));
  }
}

TEST_F(PlayCamerasTest, TellsWhatBecameOfEachFrame) {
  plan_.rate = 1000;
  EXPECT_THAT(Play(Pictures({"a", "late", "superseded", "fail"})), IsOk());
  EXPECT_THAT(Fates(), ElementsAre(FrameFate::kAnswered, FrameFate::kLate, FrameFate::kSuperseded, FrameFate::kFailed));
  EXPECT_EQ(frames_[0].camera_name, "camera");
}

TEST_F(PlayCamerasTest, AFrameThatCannotBeSentBeforeTheNextIsDueIsSkipped) {
  plan_.rate = 200;
  plan_.skips_stale = true;
  stream_.Block();
  const auto pictures = [this](int64_t sequence, double) -> absl::StatusOr<PicturePointer> {
    if (sequence == 5) stream_.Break(absl::OkStatus());
    if (sequence == 100) return nullptr;
    return std::make_shared<LoadPicture>(LoadPicture{"name", "a", {}});
  };
  EXPECT_THAT(Play(pictures), IsOk());
  ASSERT_EQ(frames_.size(), 100u);
  for (const PlayedFrame& frame : frames_) {
    EXPECT_TRUE(frame.sequence >= 5 || frame.fate == FrameFate::kSkipped);
    EXPECT_TRUE(frame.fate == FrameFate::kSkipped || frame.sent_s < frame.due_s + 0.005);
  }
}

TEST_F(PlayCamerasTest, WithoutSkippingAStallIsPaidByEveryFrameItDelays) {
  plan_.rate = 1000;
  stream_.TakeForFirst(absl::Milliseconds(50));
  EXPECT_THAT(Play(Pictures(std::vector<std::string>(30, "a"))), IsOk());
  ASSERT_EQ(frames_.size(), 30u);
  for (const PlayedFrame& frame : frames_) {
    EXPECT_EQ(frame.fate, FrameFate::kAnswered);
    EXPECT_GE(frame.latency_ms(), 49 - static_cast<double>(frame.sequence)) << "from the time due";
  }
}

TEST_F(PlayCamerasTest, EndsWithTheReasonAndWithoutWaitingForTheNextFrame) {
  plan_.rate = 0.001;  // the second frame is due in a quarter of an hour
  stream_.Break(absl::UnavailableError("gone"));
  EXPECT_THAT(Play(Pictures({"a", "b"})), HasStatus(absl::StatusCode::kUnavailable, "gone"));
}

TEST_F(PlayCamerasTest, AnswersWhatWasSentBeforeThePicturesFailed) {
  plan_.rate = 1000;
  const auto pictures = [](int64_t sequence, double) -> absl::StatusOr<PicturePointer> {
    if (sequence == 2) return absl::DataLossError("unreadable");
    return std::make_shared<LoadPicture>(LoadPicture{"name", "a", {}});
  };
  EXPECT_THAT(Play(pictures), HasStatus(absl::StatusCode::kDataLoss, "unreadable"));
  EXPECT_EQ(frames_.size(), 2u);
}

}  // namespace
}  // namespace candor
