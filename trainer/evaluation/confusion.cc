// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/confusion.h"

#include <cmath>
#include <limits>

#include "trainer/evaluation/pixel_outcome.h"

namespace candor {
namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
}  // namespace

ConfusionMatrix::ConfusionMatrix(int classes) : classes_(classes), counts_(static_cast<size_t>(classes) * classes) {}

void ConfusionMatrix::Add(absl::Span<const uint8_t> truth, absl::Span<const uint8_t> labels) {
  for (size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] == kIgnoreLabel) continue;
    ++counts_[static_cast<size_t>(truth[i]) * classes_ + labels[i]];
  }
}

void ConfusionMatrix::Merge(const ConfusionMatrix& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

int64_t ConfusionMatrix::pixels() const {
  int64_t sum = 0;
  for (int64_t count : counts_) sum += count;
  return sum;
}

int64_t ConfusionMatrix::correct() const {
  int64_t sum = 0;
  for (int c = 0; c < classes_; ++c) sum += counts_[static_cast<size_t>(c) * (classes_ + 1)];
  return sum;
}

double ConfusionMatrix::Accuracy() const {
  const int64_t all = pixels();
  return all == 0 ? kNaN : static_cast<double>(correct()) / static_cast<double>(all);
}

std::vector<double> ConfusionMatrix::ClassIou() const {
  std::vector<double> iou(classes_, kNaN);
  for (int c = 0; c < classes_; ++c) {
    int64_t truth = 0;
    int64_t predicted = 0;
    for (int other = 0; other < classes_; ++other) {
      truth += counts_[static_cast<size_t>(c) * classes_ + other];
      predicted += counts_[static_cast<size_t>(other) * classes_ + c];
    }
    const int64_t both = counts_[static_cast<size_t>(c) * (classes_ + 1)];
    const int64_t either = truth + predicted - both;
    if (either > 0) iou[c] = static_cast<double>(both) / static_cast<double>(either);
  }
  return iou;
}

double ConfusionMatrix::MeanIou() const { return MeanOfPresent(ClassIou()); }

std::vector<std::vector<int64_t>> ConfusionMatrix::Rows() const {
  std::vector<std::vector<int64_t>> rows;
  for (int c = 0; c < classes_; ++c) {
    const auto begin = counts_.begin() + static_cast<ptrdiff_t>(c) * classes_;
    rows.emplace_back(begin, begin + classes_);
  }
  return rows;
}

double MeanOfPresent(absl::Span<const double> values) {
  double sum = 0;
  int present = 0;
  for (double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++present;
  }
  return present == 0 ? kNaN : sum / present;
}

}  // namespace candor
