// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/uncertainty/member_source.h"

namespace candor {

// An ensemble on the CPU whose members, for small pictures, compute side by side, each on one of Torch's threads: the
// layers of a small picture are too short to be worth sharing between cores, which all wait for the slowest of them.
// Members that are fewer than the threads share them. Otherwise as NetworkMembers; no network runs twice at a time.
class SideBySideMembers : public MemberSource {
 public:
  // The largest batch that counts as small, in pixels: of a larger one each member's maps take too much memory, and a
  // group takes too long for a request that may be given up between members.
  static constexpr int64_t kMostPixels = int64_t{1} << 19;

  explicit SideBySideMembers(std::vector<std::shared_ptr<Network>> networks) : networks_(std::move(networks)) {}

  int members() const override { return static_cast<int>(networks_.size()); }
  // Runs as many members as there are threads when the first of them is asked for.
  Scores Run(int index, const torch::Tensor& images) override;
  int ComputedAfter(int index) const override { return group_.empty() ? index + 1 : std::max(group_end_, index + 1); }

 private:
  // Scores of members [first, last).
  std::vector<Scores> RunGroup(int first, int last, const torch::Tensor& images) const;

  Scores TakeFromGroup(int index);

  const std::vector<std::shared_ptr<Network>> networks_;
  std::vector<Scores> group_;  // of the members before group_end_
  int group_end_ = 0;
};

}  // namespace candor
