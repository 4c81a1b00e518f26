// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model_spec.h"
#include "core/nn/segmentation_net.h"

namespace candor {

// Member `index` of spec.sampling.passes as a network of its own, in evaluation mode and with nothing of the method
// left in it: of kWeightSamples a draw w + softplus(rho) e, where e is NormalNoise that depends on the member and the
// convolution alone; of kRankOne the shared weights times the member's factors. `stored` is the network of
// MakeNetwork(spec), on the CPU.
SegmentationNet MemberNetwork(const ModelSpec& spec, const SegmentationNet& stored, int index);

}  // namespace candor
