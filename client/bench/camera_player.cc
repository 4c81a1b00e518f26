// SPDX-License-Identifier: Apache-2.0
//
// One thread sends frames when they are due, the caller's takes the answers. A frame is known by camera and sequence:
// its place on the stream may come back after its answer.
#include "client/bench/camera_player.h"

#include <algorithm>
#include <deque>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace candor {
namespace {

using Clock = std::chrono::steady_clock;

RawImage AsRawImage(const Image& image) {
  return {PixelFormat::kRgb8, image.width, image.height, 0,
          absl::string_view(reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size())};
}

FrameFate FateOf(const StreamAnswer& answer) {
  if (answer.result() != nullptr) return FrameFate::kAnswered;
  if (answer.preliminary() != nullptr) return FrameFate::kPreliminary;
  if (answer.superseded() != nullptr) return FrameFate::kSuperseded;
  return absl::IsDeadlineExceeded(*answer.error()) ? FrameFate::kLate : FrameFate::kFailed;
}

class CameraPlayer {
 public:
  CameraPlayer(const CameraPlan& plan, const SegmentOptions& options, const NextPicture& next_picture,
               SegmentationStream* stream)
      : plan_(plan), options_(options), next_picture_(next_picture), stream_(stream) {
    for (int i = 0; i < plan.cameras; ++i) names_.push_back(plan.cameras == 1 ? plan.name : absl::StrCat(plan.name, i));
  }

  absl::StatusOr<StreamStatistics> Play(const std::function<void(PlayedFrame)>& on_frame) ABSL_LOCKS_EXCLUDED(mu_) {
    std::thread sender([this] {
      absl::Status status = SendWhenDue();
      stream_->DoneSending();
      absl::MutexLock lock(&mu_);
      sending_ = std::move(status);
    });
    absl::StatusOr<StreamStatistics> ending = TakeAnswers(on_frame);
    {
      absl::MutexLock lock(&mu_);
      is_over_ = true;
    }
    if (!ending.ok()) stream_->Cancel();
    sender.join();
    TellSkipped(on_frame);
    absl::MutexLock lock(&mu_);
    // A stream that broke stops the sender, too, but is itself the reason.
    if (ending.ok() && !sending_.ok()) return sending_;
    return ending;
  }

 private:
  using Key = std::pair<std::string, uint64_t>;

  double Elapsed() const { return std::chrono::duration<double>(Clock::now() - plan_.start).count(); }

  // False: the stream is over.
  bool WaitUntil(double due_s) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return !mu_.AwaitWithTimeout(absl::Condition(&is_over_), absl::Seconds(due_s - Elapsed()));
  }

  absl::Status SendWhenDue() ABSL_LOCKS_EXCLUDED(mu_) {
    for (int64_t sequence = 0;; ++sequence) {
      const double first_due_s = plan_.offset_s + static_cast<double>(sequence) / plan_.rate;
      absl::StatusOr<PicturePointer> picture = next_picture_(sequence, first_due_s);
      if (!picture.ok()) return picture.status();
      if (*picture == nullptr) return absl::OkStatus();
      for (int camera = 0; camera < plan_.cameras; ++camera) {
        PlayedFrame frame;
        frame.camera = camera;
        frame.camera_name = names_[camera];
        frame.sequence = sequence;
        frame.picture = *picture;
        frame.due_s = first_due_s + camera / (plan_.rate * plan_.cameras);
        if (!WaitUntil(frame.due_s)) return absl::OkStatus();
        frame.sent_s = Elapsed();
        if (absl::Status status = SendOrSkip(std::move(frame)); !status.ok()) return status;
      }
    }
  }

  absl::Status SendOrSkip(PlayedFrame frame) ABSL_LOCKS_EXCLUDED(mu_) {
    const double stale_s = frame.due_s + 1 / plan_.rate;
    const PicturePointer picture = frame.picture;
    SegmentOptions options = options_;
    options.frame = FrameOrigin{frame.camera_name, static_cast<uint64_t>(frame.sequence),
                                absl::ToUnixNanos(absl::Now() - absl::Seconds(frame.sent_s - frame.due_s)), ""};
    const Key key(frame.camera_name, frame.sequence);
    {
      absl::MutexLock lock(&mu_);
      if (plan_.skips_stale && frame.sent_s >= stale_s) {
        frame.done_s = frame.sent_s;
        skipped_.push_back(std::move(frame));
        return absl::OkStatus();
      }
      under_way_.emplace(key, std::move(frame));
    }
    const absl::Duration patience = plan_.skips_stale
                                        ? std::max(absl::ZeroDuration(), absl::Seconds(stale_s - Elapsed()))
                                        : absl::InfiniteDuration();
    const absl::Status sent =
        (picture->pixels.pixels.empty() ? stream_->SendEncoded(picture->file_bytes, options, patience)
                                        : stream_->SendRaw(AsRawImage(picture->pixels), options, patience))
            .status();
    if (sent.ok()) return sent;
    absl::MutexLock lock(&mu_);
    auto unsent = under_way_.extract(key);
    if (!absl::IsResourceExhausted(sent)) return sent;
    unsent.mapped().done_s = Elapsed();
    skipped_.push_back(std::move(unsent.mapped()));
    return absl::OkStatus();
  }

  absl::StatusOr<StreamStatistics> TakeAnswers(const std::function<void(PlayedFrame)>& on_frame)
      ABSL_LOCKS_EXCLUDED(mu_) {
    for (;;) {
      absl::StatusOr<StreamAnswer> answer = stream_->Next();
      const double now = Elapsed();
      if (!answer.ok()) return answer.status();
      if (const StreamStatistics* statistics = answer->statistics()) {
        const absl::Status end = stream_->Next().status();
        if (absl::IsOutOfRange(end)) return *statistics;
        return end;  // the server closed the stream
      }
      TellSkipped(on_frame);
      PlayedFrame frame;
      {
        absl::MutexLock lock(&mu_);
        const auto found = under_way_.find(Key(answer->frame->camera, answer->frame->sequence));
        frame = found->second;
        if (answer->preliminary() == nullptr) under_way_.erase(found);
      }
      frame.done_s = now;
      frame.fate = FateOf(*answer);
      frame.answer = *std::move(answer);
      on_frame(std::move(frame));
    }
  }

  void TellSkipped(const std::function<void(PlayedFrame)>& on_frame) ABSL_LOCKS_EXCLUDED(mu_) {
    std::deque<PlayedFrame> skipped;
    {
      absl::MutexLock lock(&mu_);
      skipped.swap(skipped_);
    }
    for (PlayedFrame& frame : skipped) on_frame(std::move(frame));
  }

  const CameraPlan plan_;
  const SegmentOptions options_;
  const NextPicture& next_picture_;
  SegmentationStream* const stream_;
  std::vector<std::string> names_;  // filled by the constructor
  absl::Mutex mu_;
  std::map<Key, PlayedFrame> under_way_ ABSL_GUARDED_BY(mu_);
  std::deque<PlayedFrame> skipped_ ABSL_GUARDED_BY(mu_);  // not yet told
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status sending_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

const char* FrameFateName(FrameFate fate) {
  switch (fate) {
    case FrameFate::kAnswered:
      return "answered";
    case FrameFate::kSuperseded:
      return "superseded";
    case FrameFate::kSkipped:
      return "skipped";
    case FrameFate::kLate:
      return "late";
    case FrameFate::kFailed:
      return "failed";
    case FrameFate::kPreliminary:
      return "preliminary";
  }
  return "unknown";
}

absl::StatusOr<StreamStatistics> PlayCameras(const CameraPlan& plan, const SegmentOptions& options,
                                             const NextPicture& next_picture, SegmentationStream* stream,
                                             const std::function<void(PlayedFrame)>& on_frame) {
  return CameraPlayer(plan, options, next_picture, stream).Play(on_frame);
}

}  // namespace candor
