// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "candor/v1/segmentation.pb.h"
#include "client/segmentation_stream.h"
#include "client/stream_messages.h"

namespace candor {

// A SegmentationStream over gRPC. At most one message is being written and one is read ahead: what waits beyond that
// waits in the connection's own buffers, whose flow control is the only one.
class GrpcStream final : public SegmentationStream,
                         private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // InvalidArgument: options out of range. `frame_timeout` is for options without one.
  static absl::StatusOr<std::unique_ptr<SegmentationStream>> Open(const std::shared_ptr<grpc::Channel>& channel,
                                                                  const StreamOptions& options,
                                                                  absl::Duration frame_timeout);
  // Waits until gRPC is done with it.
  ~GrpcStream() override ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<uint64_t> SendEncoded(absl::string_view file_bytes, const SegmentOptions& options,
                                       absl::Duration patience) override;
  absl::StatusOr<uint64_t> SendRaw(const RawImage& image, const SegmentOptions& options,
                                   absl::Duration patience) override;
  void DoneSending() override ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<StreamAnswer> Next() override ABSL_LOCKS_EXCLUDED(mu_);
  bool HasNext() const override ABSL_LOCKS_EXCLUDED(mu_);
  void Cancel() override { context_.TryCancel(); }

 private:
  explicit GrpcStream(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {}

  void Start(const v1::StreamOptions& options) ABSL_LOCKS_EXCLUDED(mu_);
  // The placeholders of `request` stand for `large_fields`.
  absl::StatusOr<uint64_t> Send(v1::SegmentRequest request, std::vector<grpc::Slice> large_fields,
                                absl::Duration patience) ABSL_LOCKS_EXCLUDED(mu_);
  // The frame that `answer` is for; nothing if it has the statistics.
  absl::StatusOr<std::optional<UnansweredFrames::Frame>> TakeFrame(const v1::StreamResponse& answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status BreakOff(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Ending() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool CanGiveNext() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return has_answer_ || is_done_ || !broken_.ok(); }
  bool IsDone() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return is_done_; }
  bool NeedNotWaitToWrite() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return !is_writing_ || has_write_failed_ || is_read_to_end_ || is_closing_;
  }

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone(const grpc::Status& status) override ABSL_LOCKS_EXCLUDED(mu_);

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer outgoing_;  // gRPC's while a write is under way
  grpc::ByteBuffer incoming_;  // gRPC's while a read is under way

  mutable absl::Mutex mu_;
  UnansweredFrames unanswered_ ABSL_GUARDED_BY(mu_);
  bool is_writing_ ABSL_GUARDED_BY(mu_) = true;
  bool has_write_failed_ ABSL_GUARDED_BY(mu_) = false;
  bool is_closing_ ABSL_GUARDED_BY(mu_) = false;      // DoneSending was called
  bool has_answer_ ABSL_GUARDED_BY(mu_) = false;      // in incoming_
  bool is_read_to_end_ ABSL_GUARDED_BY(mu_) = false;  // no operation may be started but by a reaction
  bool is_abandoned_ ABSL_GUARDED_BY(mu_) = false;    // nobody will ask for answers any more
  bool has_statistics_ ABSL_GUARDED_BY(mu_) = false;
  bool is_done_ ABSL_GUARDED_BY(mu_) = false;
  absl::Time arrival_ ABSL_GUARDED_BY(mu_);   // of the answer
  absl::Status ending_ ABSL_GUARDED_BY(mu_);  // once done
  absl::Status broken_ ABSL_GUARDED_BY(mu_);  // not OK: an answer was wrong
};

}  // namespace candor
