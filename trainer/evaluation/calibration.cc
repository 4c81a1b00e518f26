// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "trainer/evaluation/pixel_outcome.h"

namespace candor {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kFineBinsEach = 4096;  // of one calibration bin
constexpr int kFineBins = kCalibrationBins * kFineBinsEach;
constexpr size_t kChunk = 512;
constexpr int kNoBin = kCalibrationBins;  // of void pixels

// Also of values a rounding error outside [0, 1].
int BinOf(float confidence, int bins) {
  const auto scale = static_cast<float>(bins);
  return static_cast<int>(std::min(std::max(confidence * scale, 0.0f), scale - 1));
}

}  // namespace

CalibrationMeter::CalibrationMeter(int classes)
    : classes_(classes), fine_bins_(kFineBins), class_bins_(static_cast<size_t>(classes) * kCalibrationBins) {}

void CalibrationMeter::AddPicture(const float* probabilities, absl::Span<const uint8_t> truth,
                                  absl::Span<const uint8_t> labels) {
  for (size_t first = 0; first < truth.size(); first += kChunk) {
    AddChunk(probabilities, truth, labels, first, std::min(kChunk, truth.size() - first));
  }
}

void CalibrationMeter::AddChunk(const float* probabilities, absl::Span<const uint8_t> truth,
                                absl::Span<const uint8_t> labels, size_t first, size_t count) {
  float largest[kChunk] = {};
  float sum_of_squares[kChunk] = {};
  int lowest_bin[kChunk] = {};  // sends void pixels to a bin of their own
  for (size_t i = 0; i < count; ++i) lowest_bin[i] = truth[first + i] == kIgnoreLabel ? kNoBin : 0;

  for (int c = 0; c < classes_; ++c) {
    const float* row = probabilities + static_cast<size_t>(c) * truth.size() + first;
    int bin[kChunk];
    for (size_t i = 0; i < count; ++i) {
      largest[i] = std::max(largest[i], row[i]);
      sum_of_squares[i] += row[i] * row[i];
      bin[i] = std::max(BinOf(row[i], kCalibrationBins), lowest_bin[i]);
    }
    // Most probabilities of a class fall into one bin: four sets of sums, so that none waits for the one before.
    double sums[4][kCalibrationBins + 1] = {};
    for (size_t i = 0; i < count; ++i) sums[i % 4][bin[i]] += row[i];
    for (int b = 0; b < kCalibrationBins; ++b) {
      class_bins_[static_cast<size_t>(c) * kCalibrationBins + b].probability +=
          sums[0][b] + sums[1][b] + sums[2][b] + sums[3][b];
    }
  }

  for (size_t i = 0; i < count; ++i) {
    const uint8_t target = truth[first + i];
    if (target == kIgnoreLabel) continue;
    const float probability = probabilities[static_cast<size_t>(target) * truth.size() + first + i];
    ++class_bins_[static_cast<size_t>(target) * kCalibrationBins + BinOf(probability, kCalibrationBins)].hits;
    AddPixel(largest[i], probability, sum_of_squares[i], target == labels[first + i]);
  }
}

void CalibrationMeter::AddPixel(float confidence, float truth_probability, float sum_of_squares, bool correct) {
  ++pixels_;
  log_loss_ -= std::log(std::max(static_cast<double>(truth_probability), 1e-12));
  brier_ += 1 - 2 * static_cast<double>(truth_probability) + static_cast<double>(sum_of_squares);
  Bin& bin = fine_bins_[BinOf(confidence, kFineBins)];
  ++bin.pixels;
  bin.correct += correct ? 1 : 0;
  bin.confidence += confidence;
}

void CalibrationMeter::Merge(const CalibrationMeter& other) {
  for (size_t i = 0; i < fine_bins_.size(); ++i) fine_bins_[i].Add(other.fine_bins_[i]);
  for (size_t i = 0; i < class_bins_.size(); ++i) {
    class_bins_[i].probability += other.class_bins_[i].probability;
    class_bins_[i].hits += other.class_bins_[i].hits;
  }
  pixels_ += other.pixels_;
  log_loss_ += other.log_loss_;
  brier_ += other.brier_;
}

double CalibrationMeter::AdaptiveError() const {
  const auto all = static_cast<double>(pixels_);
  const double mass = all / kCalibrationBins;
  double error = 0;
  double room = mass;  // left in the bin being filled
  double surplus = 0;  // its confidence minus its correct pixels
  for (const Bin& fine : fine_bins_) {
    if (fine.pixels == 0) continue;
    const auto fine_pixels = static_cast<double>(fine.pixels);
    const double surplus_each = (fine.confidence - static_cast<double>(fine.correct)) / fine_pixels;
    double left = fine_pixels;
    while (left >= room) {
      error += std::abs(surplus + room * surplus_each);
      left -= room;
      room = mass;
      surplus = 0;
    }
    surplus += left * surplus_each;
    room -= left;
  }
  return (error + std::abs(surplus)) / all;  // a rounding error may leave the last bin open
}

double CalibrationMeter::ClasswiseError() const {
  double error = 0;
  for (const ClassBin& bin : class_bins_) error += std::abs(bin.probability - static_cast<double>(bin.hits));
  return error / static_cast<double>(pixels_) / classes_;
}

CalibrationFigures CalibrationMeter::Figures() const {
  CalibrationFigures figures;
  if (pixels_ == 0) {
    figures.ece = figures.mce = figures.rmsce = figures.adaptive_ece = figures.classwise_ece = kNaN;
    figures.nll = figures.brier = kNaN;
    return figures;
  }
  const auto all = static_cast<double>(pixels_);
  double squares = 0;
  for (int b = 0; b < kCalibrationBins; ++b) {
    Bin bin;
    for (int i = 0; i < kFineBinsEach; ++i) bin.Add(fine_bins_[b * kFineBinsEach + i]);
    const auto pixels = static_cast<double>(bin.pixels);
    if (bin.pixels == 0) {
      figures.bins.push_back({kNaN, kNaN, 0});
      continue;
    }
    const ReliabilityBin means = {bin.confidence / pixels, static_cast<double>(bin.correct) / pixels, bin.pixels};
    const double gap = std::abs(means.accuracy - means.confidence);
    figures.ece += pixels / all * gap;
    figures.mce = std::max(figures.mce, gap);
    squares += pixels / all * gap * gap;
    figures.bins.push_back(means);
  }
  figures.rmsce = std::sqrt(squares);
  figures.adaptive_ece = AdaptiveError();
  figures.classwise_ece = ClasswiseError();
  figures.nll = log_loss_ / all;
  figures.brier = brier_ / all;
  return figures;
}

}  // namespace candor
