// SPDX-License-Identifier: Apache-2.0
#include "core/nn/member_network.h"

#include <string>

#include "core/nn/gaussian_weights.h"
#include "core/nn/normal_noise.h"
#include "core/nn/rank_one.h"

namespace candor {
namespace {

// More than any network has.
constexpr uint32_t kMaxConvolutions = 1 << 10;

torch::Tensor WeightOf(torch::nn::Conv2dImpl& stored, int member, uint32_t position) {
  const auto parameters = stored.named_parameters(/*recurse=*/false);
  if (const torch::Tensor* rho = parameters.find(kWeightRho)) {
    const uint32_t stream = static_cast<uint32_t>(member) * kMaxConvolutions + position;
    return stored.weight + DeviationOf(*rho) * NormalNoise(stream, stored.weight.sizes().vec());
  }
  if (const torch::Tensor* r = parameters.find(kOutFactors)) {
    return MemberWeight(stored.weight, (*r)[member], parameters[kInFactors][member]);
  }
  return stored.weight;
}

}  // namespace

SegmentationNet MemberNetwork(const ModelSpec& spec, const SegmentationNet& stored, int index) {
  ModelSpec plain = spec;
  plain.sampling = {};
  SegmentationNet net = MakeNetwork(plain);
  net->eval();
  const torch::NoGradGuard no_grad;
  const auto parameters = stored->named_parameters();
  for (const auto& item : net->named_parameters()) item.value().copy_(parameters[item.key()]);
  const auto buffers = stored->named_buffers();
  for (const auto& item : net->named_buffers()) item.value().copy_(buffers[item.key()]);
  uint32_t position = 0;
  const auto modules = stored->named_modules();
  for (const auto& item : net->named_modules()) {
    auto* conv = item.value()->as<torch::nn::Conv2d>();
    if (conv != nullptr) {
      conv->weight.copy_(WeightOf(*modules[item.key()]->as<torch::nn::Conv2d>(), index, position++));
    }
  }
  return net;
}

}  // namespace candor
