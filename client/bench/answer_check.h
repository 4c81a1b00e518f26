// SPDX-License-Identifier: Apache-2.0
//
// Whether a server gives the same answers under load as alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "client/segmentation_client.h"

namespace candor {

struct CheckFigures {
  int64_t compared = 0;
  int64_t mismatches = 0;
  double least_label_agreement = 1;  // share of pixels
  double greatest_difference = 0;    // of uncertainty, at pixels of equal label and of the picture's mean
  std::string first_mismatch;        // in words
};

// OK: labels agree on at least kMinAgreement of the pixels, and neither the uncertainty of a pixel with equal labels
// nor the picture's mean differs by more than `bound`. Otherwise DataLoss, saying what differs; other sizes and weights
// do. What neither answer has is not compared. `figures` takes the worst so far of what could be compared.
absl::Status CompareWithReference(const SegmentResult& reference, const SegmentResult& answer, double bound,
                                  CheckFigures* figures);

// Holds the answers to each picture alone. Thread-safe.
class AnswerCheck {
 public:
  static constexpr double kMinAgreement = 0.9999;

  // `references[i]` is the answer to picture i, `names[i]` its name.
  AnswerCheck(std::vector<SegmentResult> references, std::vector<std::string> names, double bound)
      : references_(std::move(references)), names_(std::move(names)), bound_(bound) {}

  void Compare(int picture, const SegmentResult& answer) ABSL_LOCKS_EXCLUDED(mu_);
  CheckFigures figures() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const std::vector<SegmentResult> references_;
  const std::vector<std::string> names_;
  const double bound_;
  mutable absl::Mutex mu_;
  CheckFigures figures_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
