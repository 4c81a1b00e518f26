// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "core/model/model_spec.h"
#include "core/uncertainty/member_source.h"

namespace candor {

// Test-time augmentation: one network sees the picture in several views, and each view's class scores, turned back, are
// a member's.
//
// A view is the padded picture resized to scale times its size, rounded to multiples of 16 (at least 16), then
// mirrored. Its scores at a quarter of that size are mirrored back and resized to a quarter of the picture's: both
// bilinear with align_corners, the network's own rule, so that corners stay corners and no view is shifted. A flip is
// turned back exactly; a scaled view's scores are interpolated once more than those of scale 1, before the softmax
// rather than after it, and one that is larger loses the detail between the points of the common grid.
class AugmentedMembers : public MemberSource {
 public:
  AugmentedMembers(std::shared_ptr<Network> network, std::vector<AugmentedView> views);

  int members() const override { return static_cast<int>(views_.size()); }
  Scores Run(int index, const torch::Tensor& images) override;

 private:
  const std::shared_ptr<Network> network_;
  const std::vector<AugmentedView> views_;
};

}  // namespace candor
