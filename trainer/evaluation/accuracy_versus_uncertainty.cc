// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/accuracy_versus_uncertainty.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "trainer/evaluation/uncertainty_histogram.h"

namespace candor {
namespace {

constexpr int kPatch = 4;

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(part) / static_cast<double>(whole);
}

// The exact lower median of the labelled pixels: their histogram says which bin has it, and only that bin is sorted.
float MedianOf(absl::Span<const float> values, absl::Span<const uint16_t> bins, absl::Span<const PixelOutcome> outcomes,
               int64_t labelled, std::vector<uint32_t>* bin_counts) {
  std::fill(bin_counts->begin(), bin_counts->end(), 0);
  for (size_t i = 0; i < bins.size(); ++i) (*bin_counts)[bins[i]] += outcomes[i] == PixelOutcome::kVoid ? 0 : 1;
  int64_t rank = (labelled - 1) / 2;
  size_t bin = 0;
  while (rank >= (*bin_counts)[bin]) rank -= (*bin_counts)[bin++];
  std::vector<float> members;
  members.reserve((*bin_counts)[bin]);
  for (size_t i = 0; i < bins.size(); ++i) {
    if (bins[i] == bin && outcomes[i] != PixelOutcome::kVoid) members.push_back(values[i]);
  }
  std::nth_element(members.begin(), members.begin() + rank, members.end());
  return members[rank];
}

}  // namespace

CertaintyMeter::CertaintyMeter(float range_max, std::vector<double> fixed_shares)
    : range_max_(range_max), patch_bins_(kUncertaintyBins), bin_counts_(kUncertaintyBins) {
  for (double share : fixed_shares) fixed_edges_.push_back(std::lround(share * kUncertaintyBins));
}

void CertaintyMeter::AddPicture(absl::Span<const float> values, absl::Span<const uint16_t> bins,
                                absl::Span<const PixelOutcome> outcomes, int width) {
  double sum = 0;
  int64_t labelled = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool counts = outcomes[i] != PixelOutcome::kVoid;
    sum += counts ? values[i] : 0;
    labelled += counts ? 1 : 0;
  }
  if (labelled == 0) return;
  ++pictures_;
  const std::vector<Patch> patches = PatchesOf(values, outcomes, width);
  for (const Patch& patch : patches) {
    uint16_t bin = 0;
    BinUncertainty(absl::MakeConstSpan(&patch.uncertainty, 1), range_max_, absl::MakeSpan(&bin, 1));
    ++(patch.accurate ? patch_bins_[bin].negatives : patch_bins_[bin].positives);
  }
  AddByThreshold(values, outcomes, patches, MedianOf(values, bins, outcomes, labelled, &bin_counts_), &median_);
  AddByThreshold(values, outcomes, patches, static_cast<float>(sum / static_cast<double>(labelled)), &mean_);
}

std::vector<CertaintyMeter::Patch> CertaintyMeter::PatchesOf(absl::Span<const float> values,
                                                             absl::Span<const PixelOutcome> outcomes, int width) const {
  const size_t columns = width / kPatch;
  const size_t rows = values.size() / width / kPatch;
  std::vector<Patch> patches;
  patches.reserve(columns * rows);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      float sum = 0;
      int labelled = 0;
      int correct = 0;
      for (size_t y = row * kPatch; y < (row + 1) * kPatch; ++y) {
        for (size_t i = y * width + column * kPatch; i < y * width + (column + 1) * kPatch; ++i) {
          const bool counts = outcomes[i] != PixelOutcome::kVoid;
          sum += counts ? values[i] : 0;
          labelled += counts ? 1 : 0;
          correct += outcomes[i] == PixelOutcome::kCorrect ? 1 : 0;
        }
      }
      if (labelled > 0) patches.push_back({sum / static_cast<float>(labelled), 2 * correct > labelled});
    }
  }
  return patches;
}

void CertaintyMeter::AddByThreshold(absl::Span<const float> values, absl::Span<const PixelOutcome> outcomes,
                                    const std::vector<Patch>& patches, float threshold, Rule* rule) {
  rule->threshold_sum += threshold;
  int64_t counts[3][2] = {};  // by PixelOutcome
  for (size_t i = 0; i < values.size(); ++i) {
    ++counts[static_cast<size_t>(outcomes[i])][values[i] > threshold ? 1 : 0];
  }
  for (int outcome = 0; outcome < 2; ++outcome) {
    for (int side = 0; side < 2; ++side) rule->pixels.of[outcome][side] += counts[outcome][side];
  }
  for (const Patch& patch : patches) {
    ++rule->patches.of[patch.accurate ? 0 : 1][patch.uncertainty > threshold ? 1 : 0];
  }
}

void CertaintyMeter::Merge(const CertaintyMeter& other) {
  const auto add = [](Counts* counts, const Counts& more) {
    for (int outcome = 0; outcome < 2; ++outcome) {
      for (int side = 0; side < 2; ++side) counts->of[outcome][side] += more.of[outcome][side];
    }
  };
  for (auto [rule, more] : {std::pair(&median_, &other.median_), std::pair(&mean_, &other.mean_)}) {
    rule->threshold_sum += more->threshold_sum;
    add(&rule->pixels, more->pixels);
    add(&rule->patches, more->patches);
  }
  pictures_ += other.pictures_;
  for (size_t i = 0; i < patch_bins_.size(); ++i) {
    patch_bins_[i].positives += other.patch_bins_[i].positives;
    patch_bins_[i].negatives += other.patch_bins_[i].negatives;
  }
}

CertaintyMeter::Counts CertaintyMeter::SplitAt(absl::Span<const ScoreBin> bins, size_t edge) {
  Counts counts;
  for (size_t i = 0; i < bins.size(); ++i) {
    counts.of[0][i < edge ? 0 : 1] += bins[i].negatives;
    counts.of[1][i < edge ? 0 : 1] += bins[i].positives;
  }
  return counts;
}

AccuracyVersusUncertainty CertaintyMeter::FiguresOf(std::string rule, double threshold, const Counts& pixels,
                                                    const Counts& patches) {
  const auto certain_ratio = [](const Counts& n) { return Ratio(n.of[0][0], n.of[0][0] + n.of[1][0]); };
  const auto inaccurate_ratio = [](const Counts& n) { return Ratio(n.of[1][1], n.of[1][0] + n.of[1][1]); };
  const auto both_ratio = [](const Counts& n) {
    return Ratio(n.of[0][0] + n.of[1][1], n.of[0][0] + n.of[0][1] + n.of[1][0] + n.of[1][1]);
  };
  AccuracyVersusUncertainty figures;
  figures.rule = std::move(rule);
  figures.threshold = threshold;
  figures.accurate_if_certain = certain_ratio(pixels);
  figures.uncertain_if_inaccurate = inaccurate_ratio(pixels);
  figures.pavpu = both_ratio(pixels);
  figures.patch_accurate_if_certain = certain_ratio(patches);
  figures.patch_uncertain_if_inaccurate = inaccurate_ratio(patches);
  figures.patch_pavpu = both_ratio(patches);
  return figures;
}

std::vector<AccuracyVersusUncertainty> CertaintyMeter::Figures(absl::Span<const ScoreBin> pixels) const {
  const auto mean_threshold = [&](const Rule& rule) {
    return pictures_ == 0 ? std::numeric_limits<double>::quiet_NaN()
                          : rule.threshold_sum / static_cast<double>(pictures_);
  };
  std::vector<AccuracyVersusUncertainty> figures;
  figures.push_back(FiguresOf("median", mean_threshold(median_), median_.pixels, median_.patches));
  figures.push_back(FiguresOf("mean", mean_threshold(mean_), mean_.pixels, mean_.patches));
  for (size_t edge : fixed_edges_) {
    const double threshold = static_cast<double>(edge) * range_max_ / kUncertaintyBins;
    figures.push_back(FiguresOf("fixed", threshold, SplitAt(pixels, edge), SplitAt(patch_bins_, edge)));
  }
  return figures;
}

}  // namespace candor
