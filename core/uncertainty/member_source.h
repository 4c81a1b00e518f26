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

  // How many members Run(index), the last call, leaves computed: their scores cost nothing any more.
  virtual int ComputedAfter(int index) const { return index + 1; }
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

// A deep sub-ensemble (Valdenegro-Toro 2019; 2023, section 3): decoders and heads on one encoder, which runs once a
// batch.
class SharedEncoderMembers : public MemberSource {
 public:
  // The first network's encoder is the one that runs, the others' are dropped.
  explicit SharedEncoderMembers(std::vector<std::shared_ptr<SplitNetwork>> networks) : networks_(std::move(networks)) {
    for (size_t m = 1; m < networks_.size(); ++m) networks_[m]->DropEncoder();
  }

  int members() const override { return static_cast<int>(networks_.size()); }
  Scores Run(int index, const torch::Tensor& images) override {
    if (index == 0) encoded_ = networks_[0]->Encode(images);
    Scores scores = networks_[index]->Decode(encoded_);
    if (index == members() - 1) encoded_ = {};
    return scores;
  }

 private:
  const std::vector<std::shared_ptr<SplitNetwork>> networks_;
  EncoderFeatures encoded_;
};

}  // namespace candor
