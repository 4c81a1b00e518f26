// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace candor {

using SteadyDuration = std::chrono::steady_clock::duration;

// How long batches took, to foretell the next: by model, padded size and number of pictures. Thread-compatible.
class ComputeTimes {
 public:
  // `pixels`: padded, of one picture; `pictures` >= 1.
  void Add(absl::string_view model, int64_t pixels, int pictures, SteadyDuration taken);

  // The median of the last times of such a batch. Without one: of one picture times `pictures`. 0: not known.
  SteadyDuration Expect(absl::string_view model, int64_t pixels, int pictures) const;
  // What seven of eight such batches stay below, of one picture: what a deadline is held against. Under overload every
  // job would else be run so late that half of them miss it.
  SteadyDuration ExpectAtMost(absl::string_view model, int64_t pixels) const;
  // The same of one picture of whatever size the model saw last. 0: not known.
  SteadyDuration ExpectAnyAtMost(absl::string_view model) const;

  // Takes a fifth off the times of such a batch. To be called when work was refused because of them: after a hiccup
  // (a stopped process, a busy machine) they would else refuse for ever, and never be measured again.
  void Doubt(absl::string_view model, int64_t pixels, int pictures);

 private:
  // The last few times.
  struct Recent {
    static constexpr int kKept = 8;
    std::array<SteadyDuration, kKept> times{};
    int count = 0;  // of all times so far

    void Add(SteadyDuration taken) { times[count++ % kKept] = taken; }
    SteadyDuration Median() const { return Quantile(0.5); }
    SteadyDuration Quantile(double share) const;
    void Shrink();
  };
  // Sizes are the clients' choice.
  static constexpr size_t kMostSizes = 1024;

  static std::string KeyOf(absl::string_view model, int64_t pixels, int pictures);
  const Recent* Find(const std::string& key) const;

  absl::flat_hash_map<std::string, Recent> by_size_;
  absl::flat_hash_map<std::string, Recent> by_model_;
};

}  // namespace candor
