// SPDX-License-Identifier: Apache-2.0
#include "core/nn/weights.h"

#include <cstring>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

NamedTensor& Find(TensorFile& file, const std::string& name) {
  for (NamedTensor& tensor : file.tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no tensor " + name);
}

void Erase(TensorFile& file, const std::string& name) {
  file.tensors.erase(std::remove_if(file.tensors.begin(), file.tensors.end(),
                                    [&](const NamedTensor& tensor) { return tensor.name == name; }),
                     file.tensors.end());
}

class WeightsTest : public testing::Test {
 protected:
  SegmentationNet source_{8, 3, 1};
  SegmentationNet target_{8, 3, 1};
  TensorFile file_ = SaveWeights(source_);
};

TEST_F(WeightsTest, LoadsWhatWasSaved) {
  ASSERT_THAT(LoadWeights(file_, target_), IsOk());
  const auto want = source_->named_parameters();
  for (const auto& item : target_->named_parameters()) {
    EXPECT_TRUE(torch::equal(item.value(), want[item.key()])) << item.key();
  }
}

TEST_F(WeightsTest, LoadsHalfPrecision) {
  ASSERT_THAT(ConvertFloats(DType::kF16, &file_), IsOk());
  ASSERT_THAT(LoadWeights(file_, target_), IsOk());
  const torch::Tensor want = source_->named_parameters()["encoder.conv1.weight"].to(torch::kHalf).to(torch::kFloat32);
  EXPECT_TRUE(torch::equal(target_->named_parameters()["encoder.conv1.weight"], want));
}

TEST_F(WeightsTest, NamesAMissingTensor) {
  Erase(file_, "decoder.block1.0.weight");
  EXPECT_THAT(LoadWeights(file_, target_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("decoder.block1.0.weight: missing")));
}

TEST_F(WeightsTest, TakesAMissingBatchCounterAsZero) {
  Erase(file_, "encoder.bn1.num_batches_tracked");
  target_->named_buffers()["encoder.bn1.num_batches_tracked"].fill_(7);
  ASSERT_THAT(LoadWeights(file_, target_), IsOk());
  EXPECT_EQ(target_->named_buffers()["encoder.bn1.num_batches_tracked"].item<int64_t>(), 0);
}

TEST_F(WeightsTest, NamesATensorTooMany) {
  file_.tensors.push_back({"fc.weight", DType::kF32, {1}, std::string(4, '\0')});
  EXPECT_THAT(LoadWeights(file_, target_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("fc.weight: not a tensor of this architecture")));
}

TEST_F(WeightsTest, NamesAWrongShape) {
  SegmentationNet other(8, 4, 1);
  EXPECT_THAT(LoadWeights(file_, other),
              HasStatus(StatusCode::kInvalidArgument,
                        AllOf(HasSubstr("segmentation_head.0.weight: has shape [3, 32, 1, 1], want [4, 32, 1, 1]"))));
}

TEST_F(WeightsTest, NamesAWrongDtype) {
  NamedTensor& tensor = Find(file_, "encoder.bn1.weight");
  tensor.dtype = DType::kU8;
  tensor.data.resize(8);
  EXPECT_THAT(LoadWeights(file_, target_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("encoder.bn1.weight: has dtype U8")));
}

TEST_F(WeightsTest, RefusesNonFiniteValuesAndLeavesTheNetworkAlone) {
  NamedTensor& tensor = Find(file_, "uncertainty_head.0.bias");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(tensor.data.data(), &nan, sizeof(nan));
  const torch::Tensor before = target_->named_parameters()["encoder.conv1.weight"].clone();
  EXPECT_THAT(LoadWeights(file_, target_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("uncertainty_head.0.bias: value 0 is nan")));
  EXPECT_TRUE(torch::equal(target_->named_parameters()["encoder.conv1.weight"], before));
}

TEST_F(WeightsTest, LoadsAPartAndLeavesTheRest) {
  const auto own = target_->named_parameters();
  const torch::Tensor before = own["decoder.block1.0.weight"].clone();
  file_.tensors.push_back({"encoder.fc.weight", DType::kF32, {1}, std::string(4, '\0')});  // the network has none
  ASSERT_THAT(LoadPart(file_, "encoder.", target_), IsOk());
  EXPECT_TRUE(torch::equal(own["encoder.conv1.weight"], source_->named_parameters()["encoder.conv1.weight"]));
  EXPECT_TRUE(torch::equal(own["decoder.block1.0.weight"], before));
}

TEST_F(WeightsTest, RefusesABaselineForAStudent) {
  EXPECT_THAT(LoadWeights(SaveWeights(SegmentationNet(8, 3, 0)), target_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("uncertainty_head.0.weight: missing")));
}

}  // namespace
}  // namespace candor
