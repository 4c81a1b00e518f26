// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "tests/testing/fake_segmenter.h"

namespace candor {

// An ensemble whose members take a given time for a picture, and which keeps to MemberChecks as a real one does.
// Refuses batches with a picture of width 13.
class SlowSegmenter : public Segmenter {
 public:
  SlowSegmenter(int members, std::chrono::milliseconds member_time)
      : info_(FakeModelInfo("slow", members > 1 ? ModelKind::kEnsemble : ModelKind::kSingle)),
        member_time_(member_time) {
    info_.spec.weights.resize(static_cast<size_t>(members));
  }

  const ModelInfo& info() const override { return info_; }
  int pictures() const { return pictures_; }

  absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                         const MemberChecks& checks) override {
    std::vector<Segmentation> results(items.size());
    const int members = static_cast<int>(info_.spec.weights.size());
    int m = 0;
    for (; m < members; ++m) {
      if (checks.cancelled && checks.cancelled()) return absl::CancelledError("cancelled");
      const bool are_enough = checks.enough && checks.enough();
      if (are_enough && m >= 2) break;
      const auto end = std::chrono::steady_clock::now() + member_time_ * items.size();
      while (std::chrono::steady_clock::now() < end) std::this_thread::yield();  // the work
    }
    for (size_t i = 0; i < items.size(); ++i) {
      ++pictures_;
      if (items[i].picture->width() == 13) return absl::InternalError("NON_FINITE_OUTPUT");
      results[i].width = items[i].picture->width();
      results[i].members = m;
    }
    return results;
  }

 private:
  ModelInfo info_;
  const std::chrono::milliseconds member_time_;
  std::atomic<int> pictures_{0};
};

}  // namespace candor
