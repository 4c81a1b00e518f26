// SPDX-License-Identifier: Apache-2.0
//
// Where the M predictions of one picture come from: members of an ensemble, passes with dropout, views.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/nn/network.h"

namespace candor {

// Thread-compatible. May throw c10::Error.
class MemberSource {
 public:
  virtual ~MemberSource() = default;

  virtual int members() const = 0;

  // Scores of member `index` for a batch as Network::Forward takes it. Indices come in order from 0, all with one
  // batch; the next batch may begin before the last member.
  virtual Scores Run(int index, const torch::Tensor& images) = 0;
};

// One network a member: a student or single model, or a deep ensemble of M >= 2 (Lakshminarayanan et al. 2017),
// or M networks that one file describes.
class NetworkMembers : public MemberSource {
 public:
  explicit NetworkMembers(std::vector<std::shared_ptr<Network>> networks) : networks_(std::move(networks)) {}

  int members() const override { return static_cast<int>(networks_.size()); }
  Scores Run(int index, const torch::Tensor& images) override { return networks_[index]->Forward(images); }

 private:
  const std::vector<std::shared_ptr<Network>> networks_;
};

}  // namespace candor
