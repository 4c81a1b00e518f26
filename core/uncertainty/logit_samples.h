// SPDX-License-Identifier: Apache-2.0
//
// A Gaussian over class scores at every place, and draws from it: the mean is the network's class scores, the
// covariance a diagonal plus a part of low rank between classes (Shen et al. 2021 without that part; Simpson et al.
// 2022 with it, there between places).
#pragma once

#include <memory>
#include <vector>

#include "core/uncertainty/member_source.h"

namespace candor {

// Added to every variance, in squared logits: a deviation of 0.1 moves no probability by more than 0.025, and keeps the
// likelihood of a teacher whose members agree finite.
inline constexpr double kVarianceFloor = 0.01;

struct LogitSpread {
  torch::Tensor variance;  // [N, C, h, w], of each class alone
  torch::Tensor factors;   // [N, R, C, h, w]; undefined for rank 0. Covariance: diag(variance) + sum_r f_r f_r^T
};

// From the channels of the uncertainty head [N, C (1 + R), h, w] (see HeadChannels): variance = exp(first C, at most
// 15)
// + kVarianceFloor. Differentiable.
LogitSpread SpreadFrom(const torch::Tensor& head, int64_t classes);

// `draws` vectors of `dimensions` standard normal numbers, a draw a row; the same for ever. Drawn in pairs of z and -z
// (a last one alone is 0) and scaled, so that in every dimension the mean is 0 and the sample variance (over draws - 1)
// is 1. draws >= 2.
std::vector<float> NormalDraws(int draws, int dimensions);

// Draws of one pass of a network: scores + sqrt(variance) e_t + sum_r f_r e_tr, where e_t belongs to draw t and is the
// same at every place of every picture. So what lies between two places of the score map has the deviation that lies
// between theirs, a repeated request has the same answer, and a picture's answer does not depend on its batch.
class LogitSampleMembers : public MemberSource {
 public:
  // `network` gives class scores that were divided by `temperature`; the spread is divided by it here.
  LogitSampleMembers(std::shared_ptr<Network> network, int draws, double temperature);

  int members() const override { return draws_; }
  Scores Run(int index, const torch::Tensor& images) override;

 private:
  void RunNetwork(const torch::Tensor& images);

  const std::shared_ptr<Network> network_;
  const int draws_;
  const double temperature_;
  torch::Tensor mean_;     // of the batch; undefined after its last draw
  torch::Tensor spread_;   // [N, 1 + R, C, h, w]: deviations, then factors
  torch::Tensor normals_;  // [draws, C + R]
};

}  // namespace candor
