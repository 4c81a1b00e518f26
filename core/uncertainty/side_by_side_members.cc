// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/side_by_side_members.h"

#include <ATen/Parallel.h>

namespace candor {

Scores SideBySideMembers::Run(int index, const torch::Tensor& images) {
  if (index == 0) group_.clear();
  if (index < group_end_ && !group_.empty()) return TakeFromGroup(index);
  const int threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  const bool is_small = images.size(0) * images.size(2) * images.size(3) <= kMostPixels;
  if (threads == 1 || !is_small || index + threads > members()) {
    return networks_[static_cast<size_t>(index)]->Forward(images);
  }
  group_end_ = index + threads;
  group_ = RunGroup(index, group_end_, images);
  return TakeFromGroup(index);
}

Scores SideBySideMembers::TakeFromGroup(int index) {
  return std::move(group_[group_.size() - static_cast<size_t>(group_end_ - index)]);
}

std::vector<Scores> SideBySideMembers::RunGroup(int first, int last, const torch::Tensor& images) const {
  std::vector<Scores> scores(static_cast<size_t>(last - first));
  const bool is_inference = torch::InferenceMode::is_enabled();
  // What is parallel inside runs on the thread that it is on.
  at::parallel_for(first, last, /*grain_size=*/1, [&](int64_t begin, int64_t end) {
    const torch::InferenceMode mode(is_inference);  // a thread's own
    for (int64_t m = begin; m < end; ++m) {
      scores[static_cast<size_t>(m - first)] = networks_[static_cast<size_t>(m)]->Forward(images);
    }
  });
  return scores;
}

}  // namespace candor
