// SPDX-License-Identifier: Apache-2.0
//
// How far the uncertainty of what is served now lies from that of the validation data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

// Population stability index of two histograms of shares, q the reference: the sum over the bins of (p - q) ln(p / q),
// after adding kEmptyShare to each bin of both and dividing by the new sum, so that an empty bin counts, and counts
// finitely. 0 for equal ones; by custom up to 0.1 is no change to speak of, above 0.25 a large one. Siddiqi 2006,
// Credit Risk Scorecards; it is the symmetric Kullback-Leibler divergence.
inline constexpr double kEmptyShare = 1e-4;
double PopulationStabilityIndex(const std::array<double, kUncertaintyHistogramBins>& p,
                                const std::array<double, kUncertaintyHistogramBins>& q);

// The recent pictures' histogram against the reference. All pictures weigh the same, whatever their size; the weight of
// each falls by e over kWindowPictures later ones. Thread-safe.
class UncertaintyDrift {
 public:
  static constexpr int kWindowPictures = 500;
  static constexpr int kLeastPictures = 50;

  // Shares as of Calibration::Reference, which has as many bins.
  explicit UncertaintyDrift(const std::vector<float>& reference);

  // Takes a picture; without a pixel nothing. The index since then, once there were kLeastPictures.
  std::optional<double> Add(const PixelHistogram& pixels) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  std::array<double, kUncertaintyHistogramBins> reference_{};
  absl::Mutex mu_;
  int64_t pictures_ ABSL_GUARDED_BY(mu_) = 0;
  double weight_ ABSL_GUARDED_BY(mu_) = 0;  // of all pictures together
  std::array<double, kUncertaintyHistogramBins> weighted_ ABSL_GUARDED_BY(mu_){};
};

}  // namespace candor
