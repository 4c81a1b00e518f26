// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/segmenter/segmenter.h"

namespace candor {

// A model of no work: it copies an answer that it made for the last picture of that size, with one map of floats or
// halves. The time that takes is the reply's infer_ms. One thread at a time.
class EmptySegmenter : public Segmenter {
 public:
  EmptySegmenter();

  const ModelInfo& info() const override { return info_; }

  // Of one picture.
  absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                         const MemberChecks& checks) override;

 private:
  ModelInfo info_;
  Segmentation answers_[2];  // of floats, of halves
};

}  // namespace candor
