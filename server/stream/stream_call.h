// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "candor/v1/segmentation.pb.h"
#include "server/segment_task.h"
#include "server/stream/frame_queue.h"
#include "wire/segmentation_messages.h"

namespace candor {

// One SegmentStream over gRPC: reads frames while fewer than the bound are unanswered, runs each as a SegmentTask, and
// writes the answers one at a time. A frame counts as unanswered until its answer has been written, so a caller that
// does not read is not read from either. Deletes itself once gRPC is done with it.
class StreamCall : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // Ends at once if `status`, why there can be no stream, is not OK. `closed` is called just before the stream ends.
  StreamCall(const ServingContext& serving, grpc::CallbackServerContext* context, RequestIdentity identity,
             const absl::Status& status, std::function<void()> closed);

  ~StreamCall() override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  struct Frame;
  using FramePointer = std::unique_ptr<Frame>;

  // What to do once the lock is no longer held.
  struct Actions {
    Frame* start = nullptr;  // the frame whose turn has come
    grpc::ByteBuffer* write = nullptr;
    bool read = false;
    std::optional<grpc::Status> finish;
  };

  absl::Status TakeOptions(const v1::StreamOptions& options) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Frame* AddFrame(std::unique_ptr<Incoming<v1::StreamRequest>> request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FrameDone(Frame* frame, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  // Puts the first model's answer in line, out of the frames' order; the frame goes on.
  void FramePreliminary(const Frame& frame, const v1::SegmentResponse& first) ABSL_LOCKS_EXCLUDED(mu_);
  // Puts answers that may leave in line.
  void Follow(const FrameQueue::Step& step, Actions* actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Settle(Actions* actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The server is shutting down: what has come is answered, then the stream ends.
  void CloseIfDraining(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FailWith(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Act(const Actions& actions) ABSL_LOCKS_EXCLUDED(mu_);
  void Count(const Frame& frame, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  SteadyTime FrameDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const ServingContext& serving_;
  const RequestIdentity identity_;
  const std::function<void()> closed_;
  const SteadyTime deadline_;

  absl::Mutex mu_;
  grpc::ByteBuffer incoming_;  // gRPC's while a read is under way
  FrameQueue queue_ ABSL_GUARDED_BY(mu_){FrameQueue::Policy::kEveryFrame};
  int max_unanswered_ ABSL_GUARDED_BY(mu_);
  std::optional<std::chrono::milliseconds> frame_timeout_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint64_t, FramePointer> frames_ ABSL_GUARDED_BY(mu_);  // unanswered, by index
  std::deque<FramePointer> outgoing_ ABSL_GUARDED_BY(mu_);                   // the first is being written
  int preliminary_ ABSL_GUARDED_BY(mu_) = 0;                                 // of outgoing_; no frame waits with them
  uint64_t next_index_ ABSL_GUARDED_BY(mu_) = 0;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool has_options_ ABSL_GUARDED_BY(mu_) = false;
  bool is_reading_ ABSL_GUARDED_BY(mu_) = true;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool has_all_frames_ ABSL_GUARDED_BY(mu_) = false;  // the caller has sent its last
  bool has_sent_statistics_ ABSL_GUARDED_BY(mu_) = false;
  bool is_over_ ABSL_GUARDED_BY(mu_) = false;  // no more reads, frames or answers; what runs ends first
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status final_status_ ABSL_GUARDED_BY(mu_);
  v1::StreamStatistics statistics_ ABSL_GUARDED_BY(mu_);
  double latency_sum_ms_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace candor
