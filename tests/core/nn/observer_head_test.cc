// SPDX-License-Identifier: Apache-2.0
#include "core/nn/observer_head.h"

#include "core/nn/segmentation_net.h"
#include "core/nn/weights.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {
namespace {

ModelSpec ObserverSpec() {
  ModelSpec spec;
  spec.width = 8;
  spec.classes.resize(4);
  spec.head = UncertaintyHead::kObserver;
  spec.learned = {UncertaintyKind::kDisagreement, UncertaintyKind::kMutualInformation};
  return spec;
}

SegmentationNet FilledNet() {
  SegmentationNet net = MakeNetwork(ObserverSpec());
  FillWithFormula(net, "observer");
  return net;
}

// The same by Torch's operators from the state dict.
class ByOperators {
 public:
  explicit ByOperators(const SegmentationNet& net) : values_(net->named_parameters()), buffers_(net->named_buffers()) {}

  torch::Tensor operator()(const torch::Tensor& features, const torch::Tensor& logits) const {
    torch::Tensor x = torch::cat({features, torch::softmax(logits, 1)}, 1);
    x = Norm("0.1", torch::conv2d(x, Value("0.0.weight")));
    x = torch::conv2d(x, Value("1.0.0.weight"), {}, 1, 1, 1, x.size(1));
    x = Norm("1.1", torch::conv2d(x, Value("1.0.1.weight")));
    x = torch::conv2d(x, Value("2.0.0.weight"), {}, 1, 2, 2, x.size(1));
    x = Norm("2.1", torch::conv2d(x, Value("2.0.1.weight")));
    return torch::conv2d(x, Value("3.weight"), Value("3.bias"));
  }

 private:
  torch::Tensor Value(const std::string& name) const { return values_["uncertainty_head." + name]; }
  torch::Tensor Norm(const std::string& name, const torch::Tensor& x) const {
    const std::string full = "uncertainty_head." + name + ".";
    return torch::batch_norm(x, values_[full + "weight"], values_[full + "bias"], buffers_[full + "running_mean"],
                             buffers_[full + "running_var"], false, 0.1, 1e-5, false)
        .relu();
  }

  torch::OrderedDict<std::string, torch::Tensor> values_, buffers_;
};

TEST(ObserverHeadTest, LooksAtFeaturesAndSoftmax) {
  torch::NoGradGuard no_grad;
  SegmentationNet net = FilledNet();
  net->eval();
  const torch::Tensor image = FormulaImage(32, 48);
  const Scores scores = net->Forward(image);
  const torch::Tensor want = ByOperators(net)(net->Features(image), scores.logits);
  ASSERT_EQ(scores.uncertainty.sizes().vec(), (std::vector<int64_t>{1, 2, 8, 12}));
  EXPECT_LT((scores.uncertainty - want).abs().max().item<double>(), 1e-4);
  net->DivideLogits(3);
  EXPECT_LT((net->Forward(image).uncertainty - want).abs().max().item<double>(), 1e-4) << "of the undivided scores";
}

TEST(ObserverHeadTest, OnlyTheObserverIsTrained) {
  SegmentationNet net = FilledNet();
  net->train();
  const TensorFile before = SaveWeights(net);
  net->Forward(torch::cat({FormulaImage(32, 32), FormulaImage(32, 32).flip(3)})).uncertainty.square().sum().backward();
  for (const auto& item : net->named_parameters()) {
    const bool is_head = item.key().rfind("uncertainty_head.", 0) == 0;
    EXPECT_EQ(item.value().grad().defined(), is_head) << item.key();
  }
  const TensorFile after = SaveWeights(net);
  bool head_moved = false;
  for (size_t i = 0; i < before.tensors.size(); ++i) {
    const bool is_head = before.tensors[i].name.rfind("uncertainty_head.", 0) == 0;
    const bool is_same = before.tensors[i].data == after.tensors[i].data;
    if (!is_head) {
      EXPECT_TRUE(is_same) << before.tensors[i].name;
    }
    head_moved |= is_head && !is_same;
  }
  EXPECT_TRUE(head_moved) << "its batch norms take the batch's statistics";
}

}  // namespace
}  // namespace candor
