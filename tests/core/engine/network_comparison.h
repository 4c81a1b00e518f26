// SPDX-License-Identifier: Apache-2.0
//
// Networks and pictures of a formula, for tests that hold one form of the network to another.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "core/nn/segmentation_net.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"

namespace candor {

inline SegmentationNet FormulaNet(const std::string& name, int64_t width, int64_t classes,
                                  int64_t uncertainty_channels) {
  SegmentationNet net(width, classes, uncertainty_channels);
  FillWithFormula(net, name);
  net->eval();
  return net;
}

// Pictures that differ, NHWC as Preprocess makes them.
inline torch::Tensor Pictures(int64_t n, int64_t height, int64_t width) {
  std::vector<torch::Tensor> pictures;
  for (int64_t i = 0; i < n; ++i) pictures.push_back(FormulaImage(height, width).roll({5 * i, 3 * i}, {2, 3}));
  return torch::cat(pictures).contiguous(torch::MemoryFormat::ChannelsLast);
}

// Largest difference, as a share of the reference's range. Test failure unless sizes are equal and actual is float32.
inline double RelativeError(const torch::Tensor& actual, const torch::Tensor& reference) {
  EXPECT_EQ(actual.sizes(), reference.sizes());
  EXPECT_EQ(actual.scalar_type(), torch::kFloat);
  const double range = (reference.max() - reference.min()).item<double>();
  return (actual.cpu() - reference).abs().max().item<double>() / range;
}

}  // namespace candor
