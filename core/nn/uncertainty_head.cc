// SPDX-License-Identifier: Apache-2.0
#include "core/nn/uncertainty_head.h"

#include "core/nn/convolve.h"
#include "core/nn/fitted_head.h"
#include "core/nn/observer_head.h"

namespace candor {

LinearHead::LinearHead(int64_t in, int64_t out)
    : conv_(register_module("0", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1)))) {}

torch::Tensor LinearHead::Forward(const torch::Tensor& features, const torch::Tensor& /*logits*/) {
  return Convolve(conv_, features);
}

int64_t HeadChannels(const ModelSpec& spec) {
  const int64_t classes = spec.class_count();
  if (spec.sampling.method == SamplingMethod::kLogitSamples) return classes * (1 + spec.sampling.rank);
  if (spec.head == UncertaintyHead::kPerClass) return classes;
  return static_cast<int64_t>(spec.learned.size());
}

std::shared_ptr<UncertaintyHeadModule> MakeUncertaintyHead(const ModelSpec& spec) {
  const int64_t channels = int64_t{4} * spec.width;
  switch (spec.head) {
    case UncertaintyHead::kEnergy:
      return std::make_shared<EnergyHead>();
    case UncertaintyHead::kFeatureDensity:
      return std::make_shared<FeatureDensityHead>(channels, spec.class_count(),
                                                  spec.density_components > 0 ? spec.density_components : channels);
    case UncertaintyHead::kObserver:
      return std::make_shared<ObserverHead>(spec.width, spec.class_count(), HeadChannels(spec));
    case UncertaintyHead::kLinear:
    case UncertaintyHead::kPerClass:
      break;
  }
  TORCH_CHECK(false, "head: ", std::string(UncertaintyHeadName(spec.head)), " is none that is made here");
}

}  // namespace candor
