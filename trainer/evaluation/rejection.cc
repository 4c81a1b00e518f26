// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/rejection.h"

#include <algorithm>
#include <limits>

#include "trainer/evaluation/pixel_outcome.h"
#include "trainer/evaluation/uncertainty_histogram.h"

namespace candor {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kSteps = 10;
constexpr size_t kMaxBytes = size_t{64} << 20;

struct KeptFigures {
  double miou_present = kNaN;
  double miou_all = kNaN;
  double accuracy = kNaN;
};

template <typename Sums>
KeptFigures FiguresOf(const Sums& kept) {
  double iou_sum = 0;
  int present = 0;
  double correct = 0;
  double pixels = 0;
  for (const auto& cls : kept) {
    const double either = cls.hit + cls.missed + cls.claimed;
    if (either > 0) {
      iou_sum += cls.hit / either;
      ++present;
    }
    correct += cls.hit;
    pixels += cls.hit + cls.missed;
  }
  if (present == 0) return {};
  return {iou_sum / present, iou_sum / static_cast<double>(kept.size()), correct / pixels};
}

double AreaOf(const std::vector<double>& x, const std::vector<double>& y) {
  double area = 0;
  for (size_t i = 1; i < x.size(); ++i) area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
  return area / (x.back() - x.front());
}

}  // namespace

RejectionTable::RejectionTable(int classes) : classes_(classes), shift_(0) {
  while ((kUncertaintyBins >> shift_) * sizeof(Cell<uint32_t>) * classes > kMaxBytes) ++shift_;
  recent_.resize(static_cast<size_t>(kUncertaintyBins >> shift_) * classes);
}

void RejectionTable::Add(absl::Span<const uint16_t> bins, absl::Span<const uint8_t> truth,
                         absl::Span<const uint8_t> labels) {
  const auto pixels = static_cast<int64_t>(bins.size());
  if (recent_pixels_ + pixels > std::numeric_limits<uint32_t>::max()) Fold();
  recent_pixels_ += pixels;
  for (size_t i = 0; i < bins.size(); ++i) {
    if (truth[i] == kIgnoreLabel) continue;
    Cell<uint32_t>* row = &recent_[static_cast<size_t>(bins[i] >> shift_) * classes_];
    if (truth[i] == labels[i]) {
      ++row[truth[i]].hit;
    } else {
      ++row[truth[i]].missed;
      ++row[labels[i]].claimed;
    }
  }
}

RejectionTable::Cell<int64_t> RejectionTable::At(size_t index) const {
  const Cell<uint32_t>& recent = recent_[index];
  Cell<int64_t> cell = folded_.empty() ? Cell<int64_t>() : folded_[index];
  cell.hit += recent.hit;
  cell.missed += recent.missed;
  cell.claimed += recent.claimed;
  return cell;
}

void RejectionTable::Fold() {
  folded_.resize(recent_.size());
  for (size_t i = 0; i < recent_.size(); ++i) {
    folded_[i] = At(i);
    recent_[i] = {};
  }
  recent_pixels_ = 0;
}

void RejectionTable::Merge(const RejectionTable& other) {
  Fold();
  for (size_t i = 0; i < folded_.size(); ++i) {
    const Cell<int64_t> more = other.At(i);
    folded_[i].hit += more.hit;
    folded_[i].missed += more.missed;
    folded_[i].claimed += more.claimed;
  }
}

void RejectionTable::AddShare(double share, const Sums& row, Sums* sums) {
  for (size_t c = 0; c < row.size(); ++c) {
    (*sums)[c].hit += share * row[c].hit;
    (*sums)[c].missed += share * row[c].missed;
    (*sums)[c].claimed += share * row[c].claimed;
  }
}

RejectionCurve RejectionTable::Curve() const {
  double pixels = 0;
  for (size_t i = 0; i < recent_.size(); ++i) pixels += static_cast<double>(At(i).hit + At(i).missed);

  RejectionCurve curve;
  for (int step = 0; step < kSteps; ++step) curve.dropped.push_back(static_cast<double>(step) / kSteps);
  curve.miou_present.assign(kSteps, kNaN);
  curve.miou_all.assign(kSteps, kNaN);
  curve.accuracy.assign(kSteps, kNaN);

  // Bins from the most certain on; the smallest rest (90 % dropped) is complete first.
  Sums kept(classes_);
  Sums row(classes_);
  double kept_pixels = 0;
  int step = kSteps - 1;
  for (size_t first = 0; first < recent_.size() && pixels > 0 && step >= 0; first += classes_) {
    double row_pixels = 0;
    for (int c = 0; c < classes_; ++c) {
      const Cell<int64_t> cell = At(first + c);
      row[c] = {static_cast<double>(cell.hit), static_cast<double>(cell.missed), static_cast<double>(cell.claimed)};
      row_pixels += row[c].hit + row[c].missed;
    }
    if (row_pixels == 0) continue;
    for (; step >= 0; --step) {
      const double wanted = pixels * (kSteps - step) / kSteps;
      if (wanted > kept_pixels + row_pixels) break;
      Sums rest = kept;
      AddShare((wanted - kept_pixels) / row_pixels, row, &rest);
      const KeptFigures figures = FiguresOf(rest);
      curve.miou_present[step] = figures.miou_present;
      curve.miou_all[step] = figures.miou_all;
      curve.accuracy[step] = figures.accuracy;
    }
    AddShare(1, row, &kept);
    kept_pixels += row_pixels;
  }
  curve.area = AreaOf(curve.dropped, curve.miou_present);
  return curve;
}

}  // namespace candor
