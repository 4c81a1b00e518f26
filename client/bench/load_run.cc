// SPDX-License-Identifier: Apache-2.0
//
// A closed loop is threads that block, and so is each camera. An open loop is one thread that starts calls when they
// are due, and a few that read the replies, so that neither delays a call or another's time of arrival.
#include "client/bench/load_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/bench/arrival_times.h"
#include "client/bench/camera_player.h"
#include "client/segmentation_stream.h"

namespace candor {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kReaders = 2;
constexpr absl::Duration kProgressInterval = absl::Milliseconds(250);

RawImage AsRawImage(const Image& image) {
  return {PixelFormat::kRgb8, image.width, image.height, 0,
          absl::string_view(reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size())};
}

// A call that has ended, on its way to a reader.
struct EndedCall {
  std::shared_ptr<SegmentCall> call;  // null: it could not be started
  absl::Status status;                // why
  LoadSample sample;
  bool is_counted = false;
};

class Load {
 public:
  Load(const LoadPlan& plan, const LoadTarget& target)
      : plan_(plan),
        target_(target),
        start_(Clock::now()),
        end_s_(plan.duration_s > 0 ? plan.duration_s : std::numeric_limits<double>::infinity()),
        most_(plan.requests > 0 ? std::min(plan.requests, LoadRecorder::kMaxSamples) : LoadRecorder::kMaxSamples) {}

  LoadOutcome Run(const std::function<void(const LoadProgress&)>& progress) ABSL_LOCKS_EXCLUDED(mu_) {
    std::vector<std::thread> threads;
    if (plan_.mode == LoadMode::kClosed) {
      for (int i = 0; i < plan_.concurrency; ++i) Spawn(&threads, [this] { CallInTurn(); });
    } else if (plan_.mode == LoadMode::kStreams) {
      for (int i = 0; i < plan_.cameras; ++i) Spawn(&threads, [this, i] { PlayCamera(i); });
    } else {
      for (int i = 0; i < kReaders; ++i) Spawn(&threads, [this] { ReadEnded(); });
      Spawn(&threads, [this] { StartWhenDue(); });
    }
    const auto all_done = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return running_ == 0; };
    for (bool is_done = false; !is_done;) {
      {
        absl::MutexLock lock(&mu_);
        is_done = mu_.AwaitWithTimeout(absl::Condition(&all_done), kProgressInterval);
      }
      if (progress) progress({Elapsed(), recorder_.count(), recorder_.errors()});
    }
    for (std::thread& thread : threads) thread.join();
    return {recorder_.Take(), recorder_.first_messages()};
  }

 private:
  void Spawn(std::vector<std::thread>* threads, std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      ++running_;
    }
    threads->emplace_back([this, work = std::move(work)] {
      work();
      absl::MutexLock lock(&mu_);
      --running_;
    });
  }

  // Seconds since the warm-up.
  double Elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count() - plan_.warmup_s; }

  // Whether a call due then is still part of the plan; counts it if it is not of the warm-up.
  bool Admit(double due_s) {
    if (due_s >= end_s_) return false;
    return due_s < 0 || counted_.fetch_add(1) < most_;
  }

  int NextPicture() { return static_cast<int>(next_.fetch_add(1) % target_.pictures.size()); }

  // The work of one caller.
  void CallInTurn() {
    for (double now = Elapsed(); Admit(now); now = Elapsed()) {
      LoadSample sample;
      sample.due_s = sample.sent_s = now;
      sample.picture = NextPicture();
      const auto result = SegmentPicture(target_.pictures[sample.picture], target_.options, target_.client);
      sample.done_s = Elapsed();
      if (now >= 0) Record(sample, result.status(), result.ok() ? &*result : nullptr);
    }
  }

  // One camera's frames, not in step with the others'.
  void PlayCamera(int camera) {
    CameraPlan plan;
    plan.name = absl::StrCat("camera", camera);
    plan.rate = plan_.rate;
    plan.offset_s = camera / (plan_.rate * plan_.cameras);
    plan.start = start_;
    plan.skips_stale = plan_.latest;
    StreamOptions options;
    options.policy = plan_.latest ? FramePolicy::kLatestFrame : FramePolicy::kEveryFrame;
    const auto picture_of = [this, camera](int64_t sequence) {
      return static_cast<size_t>(camera + sequence) % target_.pictures.size();
    };
    const auto next = [&](int64_t sequence, double due_s) -> absl::StatusOr<PicturePointer> {
      if (!Admit(due_s - plan_.warmup_s)) return nullptr;
      return PicturePointer(PicturePointer(), &target_.pictures[picture_of(sequence)]);  // the target's own
    };
    absl::Status status;
    if (const auto stream = target_.client->OpenStream(options); stream.ok()) {
      status = PlayCameras(plan, target_.options, next, stream->get(), [&](const PlayedFrame& frame) {
                 RecordFrame(frame, static_cast<int>(picture_of(frame.sequence)));
               }).status();
    } else {
      status = stream.status();
    }
    if (status.ok()) return;
    LoadSample sample;
    sample.due_s = sample.sent_s = sample.done_s = std::max(Elapsed(), 0.0);
    Record(sample, status, nullptr);
  }

  void RecordFrame(const PlayedFrame& frame, int picture) {
    if (frame.due_s < plan_.warmup_s || frame.fate == FrameFate::kPreliminary) return;
    LoadSample sample;
    sample.due_s = frame.due_s - plan_.warmup_s;
    sample.sent_s = frame.sent_s - plan_.warmup_s;
    sample.done_s = frame.done_s - plan_.warmup_s;
    sample.picture = picture;
    sample.is_superseded = frame.fate == FrameFate::kSuperseded || frame.fate == FrameFate::kSkipped;
    const absl::Status* error = frame.answer.error();
    const SegmentResult* result = frame.fate == FrameFate::kAnswered ? frame.answer.result() : nullptr;
    Record(sample, error == nullptr ? absl::OkStatus() : *error, result);
  }

  void StartWhenDue() ABSL_LOCKS_EXCLUDED(mu_) {
    ArrivalTimes arrivals(plan_.mode, plan_.rate, plan_.seed);
    for (double due_s = arrivals.Next() - plan_.warmup_s; Admit(due_s); due_s = arrivals.Next() - plan_.warmup_s) {
      std::this_thread::sleep_until(
          start_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(due_s + plan_.warmup_s)));
      const auto has_room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return in_flight_ < plan_.max_in_flight; };
      {
        absl::MutexLock lock(&mu_);
        mu_.Await(absl::Condition(&has_room));
        ++in_flight_;
      }
      Start(due_s);
    }
    absl::MutexLock lock(&mu_);
    is_all_started_ = true;
  }

  void Start(double due_s) ABSL_LOCKS_EXCLUDED(mu_) {
    EndedCall ended;
    ended.is_counted = due_s >= 0;
    ended.sample.due_s = due_s;
    ended.sample.sent_s = Elapsed();
    ended.sample.picture = NextPicture();
    const LoadPicture& picture = target_.pictures[ended.sample.picture];
    const auto done = [this, ended](std::shared_ptr<SegmentCall> call) {
      EndedCall now = ended;
      now.sample.done_s = Elapsed();
      now.call = std::move(call);
      Hand(std::move(now));
    };
    const auto started = picture.pixels.pixels.empty()
                             ? target_.client->StartSegmentEncoded(picture.file_bytes, target_.options, done)
                             : target_.client->StartSegmentRaw(AsRawImage(picture.pixels), target_.options, done);
    if (started.ok()) return;
    ended.sample.done_s = Elapsed();
    ended.status = started.status();
    Hand(std::move(ended));
  }

  void Hand(EndedCall ended) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ended_.push_back(std::move(ended));
  }

  // Until every call has been started and read.
  void ReadEnded() ABSL_LOCKS_EXCLUDED(mu_) {
    const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return !ended_.empty() || (is_all_started_ && in_flight_ == 0);
    };
    for (;;) {
      EndedCall ended;
      {
        absl::MutexLock lock(&mu_);
        mu_.Await(absl::Condition(&has_work));
        if (ended_.empty()) return;
        ended = std::move(ended_.front());
        ended_.pop_front();
      }
      if (ended.is_counted) {
        if (ended.call != nullptr) {
          const absl::StatusOr<SegmentResult>& result = ended.call->Wait();
          Record(ended.sample, result.status(), result.ok() ? &*result : nullptr);
        } else {
          recorder_.Add(ended.sample, ended.status);
        }
      }
      ended.call = nullptr;
      absl::MutexLock lock(&mu_);
      --in_flight_;
    }
  }

  // `result` is null without one.
  void Record(LoadSample sample, const absl::Status& status, const SegmentResult* result) {
    if (result != nullptr) {
      sample.round_trip_ms = result->round_trip_ms;
      sample.server_times = result->server_times;
      sample.members = result->members;
      sample.escalation = result->escalation;
      const std::string& asked = target_.options.uncertainty.empty() ? "" : target_.options.uncertainty[0].kind;
      for (const UncertaintyResult& entry : result->uncertainty) {
        if (!asked.empty() && entry.figures.kind != asked) continue;
        sample.mean_uncertainty = entry.figures.mean;
        break;
      }
      if (target_.check != nullptr) target_.check->Compare(sample.picture, *result);
    }
    recorder_.Add(sample, status);
  }

  const LoadPlan plan_;
  const LoadTarget& target_;
  const Clock::time_point start_;
  const double end_s_;
  const int64_t most_;
  LoadRecorder recorder_;
  std::atomic<int64_t> counted_ = 0;
  std::atomic<uint64_t> next_ = 0;
  absl::Mutex mu_;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  int in_flight_ ABSL_GUARDED_BY(mu_) = 0;  // started and not yet read
  bool is_all_started_ ABSL_GUARDED_BY(mu_) = false;
  std::deque<EndedCall> ended_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

absl::StatusOr<SegmentResult> SegmentPicture(const LoadPicture& picture, const SegmentOptions& options,
                                             SegmentationClient* client) {
  return picture.pixels.pixels.empty() ? client->SegmentEncoded(picture.file_bytes, options)
                                       : client->SegmentRaw(AsRawImage(picture.pixels), options);
}

LoadOutcome RunLoad(const LoadPlan& plan, const LoadTarget& target,
                    const std::function<void(const LoadProgress&)>& progress) {
  return Load(plan, target).Run(progress);
}

}  // namespace candor
