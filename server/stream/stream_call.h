// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "candor/v1/segmentation.pb.h"
#include "server/segment_task.h"
#include "server/stream/frame_queue.h"
#include "server/stream/stream_reactor.h"
#include "wire/segmentation_messages.h"

namespace candor {

// A frame of a stream, from its arrival until its answer is written.
struct StreamFrame {
  uint64_t index = 0;
  SteadyTime arrival;
  std::unique_ptr<Incoming<v1::StreamRequest>> incoming;  // null: there is no picture behind the answer
  v1::StreamResponse response;
  std::vector<grpc::Slice> large_fields;  // of the response
  grpc::ByteBuffer outgoing;              // the response, once its turn has come
  std::unique_ptr<SegmentTask> task;      // after the messages it borrows; null until its turn

  const v1::SegmentRequest& request() const { return incoming->message.frame(); }
};

// One SegmentStream over gRPC: reads frames while fewer than the bound are unanswered, runs each as a SegmentTask, and
// writes the answers one at a time. A frame counts as unanswered until its answer has been written, so a caller that
// does not read is not read from either.
class StreamCall final : public StreamReactor<grpc::ByteBuffer, grpc::ByteBuffer, StreamFrame> {
 public:
  // Ends at once if `status`, why there can be no stream, is not OK. `closed` is called just before the stream ends.
  StreamCall(const ServingContext& serving, grpc::CallbackServerContext* context, RequestIdentity identity,
             const absl::Status& status, std::function<void()> closed);

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Frame = StreamFrame;
  using FramePointer = std::unique_ptr<Frame>;

  absl::Status TakeOptions(const v1::StreamOptions& options) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Frame* AddFrame(std::unique_ptr<Incoming<v1::StreamRequest>> request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FrameDone(Frame* frame, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  // Puts the first model's answer in line, out of the frames' order; the frame goes on.
  void FramePreliminary(const Frame& frame, const v1::SegmentResponse& first) ABSL_LOCKS_EXCLUDED(mu_);
  // Puts answers that may leave in line.
  void Follow(const FrameQueue::Step& step, Actions* actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The server is shutting down: what has come is answered, then the stream ends.
  void CloseIfDraining(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Count(const Frame& frame, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  SteadyTime FrameDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool HasAnsweredAll() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return has_all_requests_ && frames_.empty() && outgoing_.empty();
  }

  void CancelWork() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  const grpc::ByteBuffer* NextAnswer() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool HasRoom() const override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return static_cast<int>(frames_.size() + outgoing_.size()) - preliminary_ < max_unanswered_;
  }
  bool IsComplete() const override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return has_sent_statistics_ && outgoing_.empty();
  }
  void StartWork(Frame* frame) override ABSL_LOCKS_EXCLUDED(mu_);

  const ServingContext& serving_;
  const SteadyTime deadline_;
  const std::function<void()> end_call_;

  FrameQueue queue_ ABSL_GUARDED_BY(mu_){FrameQueue::Policy::kEveryFrame};
  int max_unanswered_ ABSL_GUARDED_BY(mu_);
  std::optional<std::chrono::milliseconds> frame_timeout_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint64_t, FramePointer> frames_ ABSL_GUARDED_BY(mu_);  // unanswered, by index
  std::deque<FramePointer> outgoing_ ABSL_GUARDED_BY(mu_);                   // the first is being written
  int preliminary_ ABSL_GUARDED_BY(mu_) = 0;                                 // of outgoing_; no frame waits with them
  uint64_t next_index_ ABSL_GUARDED_BY(mu_) = 0;
  bool has_options_ ABSL_GUARDED_BY(mu_) = false;
  bool has_sent_statistics_ ABSL_GUARDED_BY(mu_) = false;
  v1::StreamStatistics statistics_ ABSL_GUARDED_BY(mu_);
  double latency_sum_ms_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace candor
