// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/segmenter/segmenter.h"
#include "tests/testing/fake_segmenter.h"

namespace candor {

// A model on a device: a batch is started at once, and ends when the test says so. One with a picture of width 13
// fails with `failure`. Thread-safe.
class DeviceSegmenter : public Segmenter {
 public:
  explicit DeviceSegmenter(absl::Status failure = absl::InternalError("NON_FINITE_OUTPUT"))
      : info_(FakeModelInfo("device", ModelKind::kSingle)), failure_(std::move(failure)) {}

  const ModelInfo& info() const override { return info_; }

  absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                         const MemberChecks& checks) override {
    absl::StatusOr<PendingAnswers> answers = StartBatch(items, checks);
    return (*std::move(answers)).Take();
  }

  absl::StatusOr<PendingAnswers> StartBatch(absl::Span<const SegmentItem> items,
                                            const MemberChecks& /*checks*/) override ABSL_LOCKS_EXCLUDED(mu_) {
    std::vector<Segmentation> results(items.size());
    absl::Status failure;
    for (size_t i = 0; i < items.size(); ++i) {
      results[i].width = items[i].picture->width();
      if (results[i].width == 13) failure = failure_;
    }
    absl::MutexLock lock(&mu_);
    starters_.insert(std::this_thread::get_id());
    first_widths_.push_back(results[0].width);
    const int number = ++started_;
    return PendingAnswers([this, number, failure, results = std::move(results)]() -> PendingAnswers::Answers {
      WaitUntilAtLeast(&ended_, number);
      if (!failure.ok()) return failure;
      return results;
    });
  }

  void WaitForStarts(int batches) ABSL_LOCKS_EXCLUDED(mu_) { WaitUntilAtLeast(&started_, batches); }
  int starts() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return started_;
  }
  // Of each batch's first picture.
  std::vector<int> first_widths() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return first_widths_;
  }
  // The threads that have started batches.
  std::set<std::thread::id> starters() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return starters_;
  }
  // The first `batches` have ended, or will as soon as they start.
  void End(int batches) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ended_ = batches;
  }

 private:
  void WaitUntilAtLeast(const int* count, int number) ABSL_LOCKS_EXCLUDED(mu_) {
    const auto is_reached = [count, number] { return *count >= number; };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&is_reached));
  }

  const ModelInfo info_;
  const absl::Status failure_;
  mutable absl::Mutex mu_;
  int started_ ABSL_GUARDED_BY(mu_) = 0;
  int ended_ ABSL_GUARDED_BY(mu_) = 0;
  std::set<std::thread::id> starters_ ABSL_GUARDED_BY(mu_);
  std::vector<int> first_widths_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
