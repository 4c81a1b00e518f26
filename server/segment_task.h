// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/slice.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "candor/v1/segmentation.pb.h"
#include "core/image/decode.h"
#include "server/execution/admission.h"
#include "server/execution/inference_scheduler.h"
#include "server/execution/worker_pool.h"
#include "server/metrics/inference_statistics.h"
#include "server/metrics/metrics.h"
#include "server/model_hub.h"
#include "server/refused_pictures.h"
#include "server/request_identity.h"
#include "server/segment_plan.h"
#include "server/segmentation_codec.h"
#include "server/shadow/shadow.h"

namespace candor {

// What every call needs. Everything is borrowed and outlives all calls.
struct ServingContext {
  const ModelHub& models;
  InferenceScheduler& scheduler;
  WorkerPool& workers;
  Admission& admission;
  Metrics& metrics;
  InferenceStatistics& statistics;
  DecodeLimits decode_limits;
  float uncertainty_threshold = 0.1F;           // share of a kind's upper bound
  int max_streams = 64;                         // open at the same time
  RefusedPictures* refused_pictures = nullptr;  // null: they are not kept
  Shadow* shadow = nullptr;                     // null: nothing is checked
};

// Who asks, and until when.
struct TaskCaller {
  std::string method;  // for metrics and the log, e.g. "Segment"
  RequestIdentity identity;
  SteadyTime deadline = SteadyTime::max();
  std::function<void()> end_call = nullptr;  // for one who does not read the answer; any thread, at any time
};

// One picture from request to response, whatever the protocol: check (the caller's thread), decode (a worker, or the
// scheduler that has nothing else to do), infer (the scheduler), encode (a worker, or likewise); with an escalation
// perhaps infer and encode once more. At each moment one thread owns the task; only Cancel may come from aside.
class SegmentTask {
 public:
  using Done = std::function<void(const absl::Status&)>;
  using Preliminary = std::function<void(const v1::SegmentResponse&)>;

  // All is borrowed until the destructor. `large_fields`: where labels and maps go, with placeholders in the response;
  // null: into the response.
  SegmentTask(const ServingContext& serving, TaskCaller caller, const v1::SegmentRequest& request,
              v1::SegmentResponse* response, PictureBytes picture_bytes = {},
              std::vector<grpc::Slice>* large_fields = nullptr);
  // Not before `done` has been called, if the task was started; once the response has left: only then does the request
  // count as over.
  ~SegmentTask();

  SegmentTask(const SegmentTask&) = delete;
  SegmentTask& operator=(const SegmentTask&) = delete;

  // To be called once. Never blocks. `done` is called once, from this or another thread, and must not throw; it may
  // destroy the task as its last act only if Start has returned. `preliminary` gets the first model's answer, before
  // `done` and at most once, if the second one is asked.
  void Start(Done done, Preliminary preliminary = nullptr);

  // Nobody waits any more: the task ends with Cancelled at the next chance. Thread-safe, until the destructor.
  void Cancel();

 private:
  // A model and what is asked of it.
  struct Turn {
    const LoadedModel* model = nullptr;
    SegmentPlan plan;

    const ModelInfo& info() const { return model->segmenter->info(); }
  };
  using NextStep = absl::Status (SegmentTask::*)(InferenceOutcome);

  // Each step hands the task over as its last act, or returns why it is over.
  absl::Status Check();
  absl::Status CheckEscalation();
  absl::Status Decode();
  absl::Status Infer(const Turn& turn, Picture picture, SteadyTime deadline, NextStep next);
  absl::Status Encode(InferenceOutcome outcome);
  // After Encode: asks the second model. The response has the first one's answer, which stays if that fails.
  absl::Status Escalate(Picture picture);
  absl::Status EncodeSecond(InferenceOutcome outcome);
  bool AnswersAtOnce() const;
  // Writes the response and counts the picture.
  void Answer(const Turn& turn, InferenceOutcome* outcome);
  // Runs a step; ends the task on an error or an exception.
  template <typename Step>
  void Run(Step step) noexcept;
  // That the picture's bytes which have been read were there.
  absl::Status CheckBytes() const;
  // If they were.
  absl::Status EndWell();
  void End(const absl::Status& status) noexcept;

  void FillTiming(v1::Timing* timing) const;
  bool GaveUp() const { return is_cancelled_.load(std::memory_order_relaxed) || serving_.admission.abandoned(); }
  // Why nobody waits any more; OK if somebody does.
  absl::Status StillWanted() const;
  void Record(const absl::Status& status);
  void CountWait(const InferenceOutcome& outcome);
  void EndEscalation(v1::EscalationOutcome outcome);
  InferenceStatistics::Entry statistics_entry() const {
    return {first_.info().name, first_.info().version, request_.image().has_encoded()};
  }

  const ServingContext& serving_;
  const TaskCaller caller_;
  const v1::SegmentRequest& request_;
  const PictureBytes picture_bytes_;
  v1::SegmentResponse& response_;
  std::vector<grpc::Slice>* const large_fields_;  // may be null
  const SteadyTime arrival_;
  std::atomic<bool> is_cancelled_{false};
  Done done_;
  Preliminary preliminary_;

  bool is_admitted_ = false;
  Admission::Answer answer_ = 0;                 // once it is on its way
  InferenceScheduler::Reservation reservation_;  // until the picture is decoded
  std::shared_ptr<const ModelRegistry> models_;  // as of the arrival: keeps the model until the answer
  Turn first_;                                   // without a model: an unknown one was asked for
  std::optional<EscalationPlan> escalation_;
  bool is_shadowed_ = false;  // Shadow::Check or Skip is due
  Turn second_;               // with an escalation
  SteadyTime handed_over_;    // when the task last began to wait for a thread
  int width_ = 0;
  int height_ = 0;
  int batch_size_ = 0;
  double decode_ms_ = 0;
  double queue_ms_ = 0;  // waits for any thread, in all
  double infer_ms_ = 0;
  double encode_ms_ = 0;
};

}  // namespace candor
