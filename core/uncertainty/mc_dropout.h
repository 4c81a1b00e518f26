// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/nn/segmentation_net.h"
#include "core/uncertainty/member_source.h"

namespace candor {

// Monte Carlo dropout (Gal and Ghahramani 2016): passes of one network that differ in what dropout after the encoder's
// four layers takes away; everything else, the decoder's dropout included, is in evaluation mode. Where dropout stands
// is as in U-CE (Landgraf et al. 2024, src/models/mc_dropout.py); the decoder reads the low-level features after it.
//
// All passes share the network up to the first dropout. Pass t always uses the same masks (DropoutMask of t and the
// layer): the model is a fixed ensemble of thinned networks, a repeated request gets the same answer, and a picture's
// answer does not depend on its batch.
class McDropoutMembers : public MemberSource {
 public:
  // `net` in evaluation mode. `dropout` in (0, 1).
  McDropoutMembers(SegmentationNet net, int passes, float dropout);

  int members() const override { return passes_; }
  Scores Run(int index, const torch::Tensor& images) override;

 private:
  SegmentationNet net_;
  const int passes_;
  const float dropout_;
  torch::Tensor first_layer_;  // of the batch; undefined after its last pass
};

}  // namespace candor
