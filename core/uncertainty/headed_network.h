// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "core/nn/network.h"
#include "core/nn/uncertainty_head.h"

namespace candor {

// A network, compiled or not, with a head that looks at its class scores only.
class HeadedNetwork : public Network {
 public:
  // `network` has no head of its own.
  HeadedNetwork(std::shared_ptr<Network> network, std::shared_ptr<UncertaintyHeadModule> head)
      : network_(std::move(network)), head_(std::move(head)) {}

  Scores Forward(const torch::Tensor& images) override {
    Scores scores = network_->Forward(images);
    scores.uncertainty = head_->Forward({}, scores.logits);
    return scores;
  }

 private:
  const std::shared_ptr<Network> network_;
  const std::shared_ptr<UncertaintyHeadModule> head_;
};

}  // namespace candor
