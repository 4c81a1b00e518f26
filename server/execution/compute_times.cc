// SPDX-License-Identifier: Apache-2.0
#include "server/execution/compute_times.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

// The second largest of eight.
constexpr double kMostlyBelow = 0.75;

}  // namespace

SteadyDuration ComputeTimes::Recent::Quantile(double share) const {
  std::array<SteadyDuration, kKept> sorted = times;
  const int kept = std::min(count, kKept);
  const int rank = std::min(static_cast<int>(share * kept), kept - 1);
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.begin() + kept);
  return sorted[rank];
}

void ComputeTimes::Recent::Shrink() {
  for (SteadyDuration& time : times) time = time * 4 / 5;
}

std::string ComputeTimes::KeyOf(absl::string_view model, int64_t pixels, int pictures) {
  return absl::StrCat(model, "/", pixels, "/", pictures);
}

const ComputeTimes::Recent* ComputeTimes::Find(const std::string& key) const {
  const auto found = by_size_.find(key);
  return found == by_size_.end() ? nullptr : &found->second;
}

void ComputeTimes::Add(absl::string_view model, int64_t pixels, int pictures, SteadyDuration taken) {
  if (by_size_.size() >= kMostSizes) by_size_.clear();
  by_size_[KeyOf(model, pixels, pictures)].Add(taken);
  by_model_[model].Add(taken / pictures);
}

SteadyDuration ComputeTimes::Expect(absl::string_view model, int64_t pixels, int pictures) const {
  if (const Recent* recent = Find(KeyOf(model, pixels, pictures)); recent != nullptr) return recent->Median();
  if (const Recent* recent = Find(KeyOf(model, pixels, 1)); recent != nullptr) return recent->Median() * pictures;
  return SteadyDuration::zero();
}

SteadyDuration ComputeTimes::ExpectAtMost(absl::string_view model, int64_t pixels) const {
  const Recent* recent = Find(KeyOf(model, pixels, 1));
  return recent == nullptr ? SteadyDuration::zero() : recent->Quantile(kMostlyBelow);
}

SteadyDuration ComputeTimes::ExpectAnyAtMost(absl::string_view model) const {
  const auto found = by_model_.find(model);
  return found == by_model_.end() ? SteadyDuration::zero() : found->second.Quantile(kMostlyBelow);
}

void ComputeTimes::Doubt(absl::string_view model, int64_t pixels, int pictures) {
  for (const int n : {pictures, 1}) {
    const auto found = by_size_.find(KeyOf(model, pixels, n));
    if (found != by_size_.end()) found->second.Shrink();
    if (n == 1) break;
  }
  if (const auto found = by_model_.find(model); found != by_model_.end()) found->second.Shrink();
}

}  // namespace candor
