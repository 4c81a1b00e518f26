// SPDX-License-Identifier: Apache-2.0
#include "core/engine/folded_weights.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/nn/fold_norm.h"

namespace candor {
namespace {

constexpr double kNormEpsilon = 1e-5;  // PyTorch's default, which the network keeps

// A network's tensors by their state-dict keys.
class StateDict {
 public:
  explicit StateDict(const SegmentationNetImpl& net)
      : parameters_(net.named_parameters()), buffers_(net.named_buffers()) {}

  // norm(conv(x)) as one convolution.
  FoldedConv Folded(const std::string& conv, const std::string& norm) const {
    const FoldedNorm folded(Parameter(norm, "weight"), Parameter(norm, "bias"),
                            buffers_[absl::StrCat(norm, ".running_mean")], buffers_[absl::StrCat(norm, ".running_var")],
                            kNormEpsilon);
    return {Parameter(conv, "weight") * folded.scale.reshape({-1, 1, 1, 1}), folded.shift};
  }

  FoldedSeparable Separable(const std::string& conv, const std::string& norm) const {
    return {Parameter(absl::StrCat(conv, ".0"), "weight").clone(), Folded(absl::StrCat(conv, ".1"), norm)};
  }

  FoldedConv Plain(const std::string& conv) const {
    return {Parameter(conv, "weight").clone(), Parameter(conv, "bias").clone()};
  }

  bool Has(const std::string& conv) const { return parameters_.contains(absl::StrCat(conv, ".weight")); }

 private:
  torch::Tensor Parameter(const std::string& module, const char* name) const {
    return parameters_[absl::StrCat(module, ".", name)].detach();
  }

  torch::OrderedDict<std::string, torch::Tensor> parameters_, buffers_;
};

FoldedBlock Block(const StateDict& net, const std::string& name) {
  FoldedBlock block;
  block.conv1 = net.Folded(absl::StrCat(name, ".conv1"), absl::StrCat(name, ".bn1"));
  block.conv2 = net.Folded(absl::StrCat(name, ".conv2"), absl::StrCat(name, ".bn2"));
  const std::string downsample = absl::StrCat(name, ".downsample");
  if (net.Has(absl::StrCat(downsample, ".0"))) {
    block.downsample = net.Folded(absl::StrCat(downsample, ".0"), absl::StrCat(downsample, ".1"));
  }
  return block;
}

FoldedConv Heads(const StateDict& net) {
  const FoldedConv classes = net.Plain("segmentation_head.0");
  if (!net.Has("uncertainty_head.0")) return classes;
  const FoldedConv uncertainty = net.Plain("uncertainty_head.0");
  return {torch::cat({classes.weight, uncertainty.weight}), torch::cat({classes.bias, uncertainty.bias})};
}

}  // namespace

FoldedWeights FoldWeights(const SegmentationNetImpl& net) {
  const torch::NoGradGuard no_grad;
  const StateDict dict(net);
  FoldedWeights folded;
  folded.stem = dict.Folded("encoder.conv1", "encoder.bn1");
  for (size_t i = 0; i < folded.blocks.size(); ++i) {
    folded.blocks[i] = Block(dict, absl::StrCat("encoder.layer", i / 2 + 1, ".", i % 2));
  }
  const std::string aspp = "decoder.aspp.0.";
  folded.aspp_pointwise = dict.Folded(absl::StrCat(aspp, "convs.0.0"), absl::StrCat(aspp, "convs.0.1"));
  for (size_t i = 0; i < folded.aspp_rates.size(); ++i) {
    const std::string branch = absl::StrCat(aspp, "convs.", i + 1);
    folded.aspp_rates[i] = dict.Separable(absl::StrCat(branch, ".0"), absl::StrCat(branch, ".1"));
  }
  folded.aspp_pool = dict.Folded(absl::StrCat(aspp, "convs.4.1"), absl::StrCat(aspp, "convs.4.2"));
  folded.aspp_project = dict.Folded(absl::StrCat(aspp, "project.0"), absl::StrCat(aspp, "project.1"));
  folded.refine = dict.Separable("decoder.aspp.1", "decoder.aspp.2");
  folded.low_level = dict.Folded("decoder.block1.0", "decoder.block1.1");
  folded.merge = dict.Separable("decoder.block2.0", "decoder.block2.1");
  folded.heads = Heads(dict);
  folded.classes = dict.Plain("segmentation_head.0").weight.size(0);
  folded.uncertainty_channels = folded.heads.weight.size(0) - folded.classes;
  return folded;
}

}  // namespace candor
