// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/class_uncertainty.h"

#include <array>
#include <cmath>
#include <limits>

#include "trainer/evaluation/confusion.h"

namespace candor {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct PictureSums {
  double sum = 0;
  int64_t pixels = 0;
  int64_t nonzero = 0;
};

}  // namespace

ClassUncertainty::ClassUncertainty(int classes) : sums_(classes) {}

void ClassUncertainty::AddPicture(absl::Span<const float> values, absl::Span<const uint8_t> labels) {
  // Neighbours are mostly of one class: two sets of sums, so that an addition need not wait for the one before.
  std::array<std::vector<PictureSums>, 2> halves = {std::vector<PictureSums>(sums_.size()),
                                                    std::vector<PictureSums>(sums_.size())};
  for (size_t i = 0; i < values.size(); ++i) {
    PictureSums& sums = halves[i % 2][labels[i]];
    sums.sum += values[i];
    ++sums.pixels;
    sums.nonzero += values[i] != 0 ? 1 : 0;
  }
  for (size_t c = 0; c < sums_.size(); ++c) {
    const double sum = halves[0][c].sum + halves[1][c].sum;
    const int64_t nonzero = halves[0][c].nonzero + halves[1][c].nonzero;
    sums_[c].sum += sum;
    sums_[c].pixels += halves[0][c].pixels + halves[1][c].pixels;
    if (nonzero == 0) continue;
    sums_[c].picture_means += sum / static_cast<double>(nonzero);
    ++sums_[c].pictures;
  }
}

void ClassUncertainty::Merge(const ClassUncertainty& other) {
  for (size_t c = 0; c < sums_.size(); ++c) {
    sums_[c].sum += other.sums_[c].sum;
    sums_[c].pixels += other.sums_[c].pixels;
    sums_[c].picture_means += other.sums_[c].picture_means;
    sums_[c].pictures += other.sums_[c].pictures;
  }
}

std::vector<double> ClassUncertainty::Pooled() const {
  std::vector<double> means;
  for (const Sums& sums : sums_) means.push_back(sums.pixels == 0 ? kNaN : sums.sum / static_cast<double>(sums.pixels));
  return means;
}

std::vector<double> ClassUncertainty::Batch() const {
  std::vector<double> means;
  for (const Sums& sums : sums_) {
    means.push_back(sums.pictures == 0 ? kNaN : sums.picture_means / static_cast<double>(sums.pictures));
  }
  return means;
}

double ClassUncertainty::PooledMean() const { return MeanOfPresent(Pooled()); }

double ClassUncertainty::BatchMean() const {
  double sum = 0;
  for (double mean : Batch()) sum += std::isnan(mean) ? 0 : mean;
  return sum / static_cast<double>(sums_.size());
}

}  // namespace candor
