// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/logit_samples.h"

#include <cmath>
#include <random>
#include <utility>

namespace candor {
namespace {

// exp of it is 3e6: further up nothing but an overflow is to be had.
constexpr double kMaxLogVariance = 15;

constexpr double kPi = 3.14159265358979323846;

// Box and Muller 1958: std::normal_distribution differs between libraries.
double Normal(std::mt19937& generator) {
  const double radius = std::sqrt(-2 * std::log((static_cast<double>(generator()) + 1) / 4294967296.0));
  return radius * std::cos(2 * kPi * static_cast<double>(generator()) / 4294967296.0);
}

}  // namespace

LogitSpread SpreadFrom(const torch::Tensor& head, int64_t classes) {
  const torch::Tensor log_variance = head.narrow(1, 0, classes);
  LogitSpread spread;
  spread.variance = log_variance.clamp_max(kMaxLogVariance).exp() + kVarianceFloor;
  const int64_t rank = head.size(1) / classes - 1;
  if (rank == 0) return spread;
  spread.factors =
      head.narrow(1, classes, rank * classes).reshape({head.size(0), rank, classes, head.size(2), head.size(3)});
  return spread;
}

std::vector<float> NormalDraws(int draws, int dimensions) {
  std::mt19937 generator(20210417);
  std::vector<float> normals(static_cast<size_t>(draws) * dimensions);
  for (int k = 0; k < dimensions; ++k) {
    std::vector<double> half;
    double squares = 0;
    for (int i = 0; i < draws / 2; ++i) {
      half.push_back(Normal(generator));
      squares += 2 * half.back() * half.back();
    }
    const double scale = std::sqrt((draws - 1) / squares);
    for (size_t i = 0; i < half.size(); ++i) {
      normals[2 * i * dimensions + k] = static_cast<float>(scale * half[i]);
      normals[(2 * i + 1) * dimensions + k] = -normals[2 * i * dimensions + k];
    }
  }
  return normals;
}

LogitSampleMembers::LogitSampleMembers(std::shared_ptr<Network> network, int draws, double temperature)
    : network_(std::move(network)), draws_(draws), temperature_(temperature) {}

void LogitSampleMembers::RunNetwork(const torch::Tensor& images) {
  const Scores scores = network_->Forward(images);
  mean_ = scores.logits;
  const LogitSpread spread = SpreadFrom(scores.uncertainty, mean_.size(1));
  spread_ = spread.variance.sqrt().unsqueeze(1);
  if (spread.factors.defined()) spread_ = torch::cat({spread_, spread.factors}, 1);
  spread_ = spread_ / temperature_;
  if (normals_.defined()) return;
  const int64_t dimensions = mean_.size(1) + spread_.size(1) - 1;
  const std::vector<float> normals = NormalDraws(draws_, static_cast<int>(dimensions));
  normals_ = torch::tensor(normals).view({draws_, dimensions}).to(mean_.device());
}

Scores LogitSampleMembers::Run(int index, const torch::Tensor& images) {
  if (index == 0) RunNetwork(images);
  const int64_t classes = mean_.size(1);
  const torch::Tensor normals = normals_[index];
  torch::Tensor logits = mean_ + spread_.select(1, 0) * normals.narrow(0, 0, classes).view({1, classes, 1, 1});
  for (int64_t r = 1; r < spread_.size(1); ++r) logits = logits + spread_.select(1, r) * normals[classes + r - 1];
  if (index == draws_ - 1) mean_ = spread_ = torch::Tensor();
  return {logits, {}};
}

}  // namespace candor
