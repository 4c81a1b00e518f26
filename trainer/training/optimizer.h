// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "core/nn/segmentation_net.h"
#include "trainer/train_options.h"

namespace candor {

// SGD with momentum and weight decay, the decoder and the heads at a multiple of the encoder's learning rate (DUDES,
// section 4.1). Not Nesterov's. Every tensor decays but Gaussian weights, means and rho, which have a prior instead,
// and members' factors, which would all become one member's (gaussian_weights.h, rank_one.h); parameters that ask for
// no gradient stay as they are. One fused pass over each group. Thread-compatible.
class MomentumSgd {
 public:
  MomentumSgd(const SegmentationNet& net, const OptimizerOptions& options);

  void ZeroGradients();
  // One step with the first learning rate times `factor`; every parameter that asks for a gradient has one.
  void Step(double factor);

  // The momentum buffers by parameter name, for checkpoints; zeros before the first step.
  const std::vector<std::pair<std::string, torch::Tensor>>& buffers() const { return buffers_; }
  // To be called once after `buffers` were filled from a checkpoint.
  void MarkRestored() { is_first_step_ = false; }

 private:
  struct Group {
    double learning_rate = 0;
    double weight_decay = 0;
    std::vector<torch::Tensor> parameters;
    std::vector<torch::Tensor> momentum;
  };

  const OptimizerOptions options_;
  std::vector<Group> groups_;  // encoder, rest; the same without decay; none is empty
  std::vector<std::pair<std::string, torch::Tensor>> buffers_;
  bool is_first_step_ = true;
};

}  // namespace candor
