// SPDX-License-Identifier: Apache-2.0
//
// A model without a network, for tests of everything above the firewall.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "core/base/steady_condition.h"
#include "core/segmenter/segmenter.h"

namespace candor {

// A model of `classes` classes named class0, class1, ... (colour: 3 * index, 2 * index, index), with the kinds that its
// ModelKind has, version 3, digest 64 times 'd', 1000 parameters a member; an ensemble has two members.
ModelInfo FakeModelInfo(const std::string& name, ModelKind kind, int classes = 4);

// `info` with a verdict by its mean `kind` between `accept_max` and `review_max`, for error rates 0.05 and 0.1, and a
// temperature of 1.5, fitted on "101 pictures".
ModelInfo WithVerdict(ModelInfo info, UncertaintyKind kind, float accept_max, float review_max);

// Label of a pixel: its red value modulo the number of classes. Uncertainty of every kind: green / 255 * the kind's
// upper bound. Quantiles are the sorted values at rank ceil(q * n); all else follows from the definitions.
//
// Segment may run on any thread, one call at a time; the controls are thread-safe and may be used while it runs.
class FakeSegmenter : public Segmenter {
 public:
  // One picture of a batch.
  struct Call {
    int width = 0;
    int height = 0;
    std::vector<KindRequest> kinds;
    int batch = 0;  // which batch it came in, from 0
  };

  explicit FakeSegmenter(ModelInfo info) : info_(std::move(info)) {}

  const ModelInfo& info() const override { return info_; }
  absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                         const MemberChecks& checks) override ABSL_LOCKS_EXCLUDED(mu_);

  // Calls wait from now on until Release; one whose `cancelled` turns true returns Cancelled.
  void Block() ABSL_LOCKS_EXCLUDED(mu_);
  void Release() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until `count` pictures have come, in all.
  void WaitForCalls(int count) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until `count` pictures have been answered, in all.
  void WaitForReturns(int count) ABSL_LOCKS_EXCLUDED(mu_);

  // All later calls return `status` (OK: the answer again).
  void FailWith(absl::Status status) ABSL_LOCKS_EXCLUDED(mu_);
  // All later calls throw std::runtime_error(what), which a real segmenter never does.
  void Throw(std::string what) ABSL_LOCKS_EXCLUDED(mu_);

  std::vector<Call> calls() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Status Begin(absl::Span<const SegmentItem> items, const MemberChecks& checks) ABSL_LOCKS_EXCLUDED(mu_);

  const ModelInfo info_;
  mutable absl::Mutex mu_;
  SteadyCondition released_;
  bool is_blocked_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
  std::optional<std::string> exception_ ABSL_GUARDED_BY(mu_);
  std::vector<Call> calls_ ABSL_GUARDED_BY(mu_);
  int returns_ ABSL_GUARDED_BY(mu_) = 0;
  int batches_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace candor
