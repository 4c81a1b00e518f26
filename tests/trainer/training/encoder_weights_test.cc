// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/encoder_weights.h"

#include <cmath>
#include <filesystem>

#include "core/base/npy.h"
#include "core/nn/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"
#include "tests/trainer/training/small_net.h"
#include "trainer/weight_names.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

class EncoderWeightsTest : public testing::Test {
 protected:
  // A file of `name` with `shape`, all `value`.
  void Write(const std::string& name, const std::vector<int64_t>& shape, float value) const {
    int64_t count = 1;
    for (const int64_t side : shape) count *= side;
    const std::vector<float> values(static_cast<size_t>(count), value);
    std::filesystem::create_directories(std::filesystem::path(folder_.File(name)).parent_path());
    WriteContents(folder_.File(name), EncodeNpyArray(shape, values.data()));
  }

  torch::Tensor Entry(const std::string& name) const {
    const auto parameters = net_->named_parameters();
    if (const torch::Tensor* found = parameters.find(name)) return *found;
    return net_->named_buffers()[name];
  }

  TemporaryFolder folder_;
  const SegmentationNet net_ = SmallNet(ModelKind::kStudent);
};

TEST_F(EncoderWeightsTest, AFolderOfArraysIsTakenByName) {
  Write("folded/conv1.weight.npy", {4, 3, 7, 7}, 0.5f);
  Write("folded/layer2.0.downsample.0.weight.npy", {8, 4, 1, 1}, 0.25f);
  Write("bn/conv1.bn.weight.npy", {4}, 2);
  Write("bn/conv1.bn.running_var.npy", {4}, 3);
  Write("bn/layer1.0.conv2.bn.bias.npy", {4}, 4);
  Write("bn/layer2.0.downsample.0.bn.running_mean.npy", {8}, 5);
  ASSERT_THAT(LoadEncoder(folder_.path(), net_), IsOk());
  EXPECT_TRUE(Entry("encoder.conv1.weight").eq(0.5).all().item<bool>());
  EXPECT_TRUE(Entry("encoder.layer2.0.downsample.0.weight").eq(0.25).all().item<bool>());
  EXPECT_TRUE(Entry("encoder.bn1.weight").eq(2).all().item<bool>());
  EXPECT_TRUE(Entry("encoder.bn1.running_var").eq(3).all().item<bool>());
  EXPECT_TRUE(Entry("encoder.layer1.0.bn2.bias").eq(4).all().item<bool>());
  EXPECT_TRUE(Entry("encoder.layer2.0.downsample.1.running_mean").eq(5).all().item<bool>());
}

TEST_F(EncoderWeightsTest, WhatIsMissingAndWhatIsNoEncoderStays) {
  const SegmentationNet before = SmallNet(ModelKind::kStudent);
  Write("conv1.weight.npy", {4, 3, 7, 7}, 0.5f);
  Write("fc.weight.npy", {1000, 32}, 9);
  Write("conv1.bias.npy", {4}, 9);
  WriteContents(folder_.File("README.md"), "not an array");
  ASSERT_THAT(LoadEncoder(folder_.path(), net_), IsOk());
  for (const auto& item : before->named_parameters()) {
    if (item.key() == "encoder.conv1.weight") continue;
    EXPECT_TRUE(Entry(item.key()).equal(item.value())) << item.key();
  }
}

TEST_F(EncoderWeightsTest, TheWholeEncoderOfAnotherNetIsTaken) {
  const SegmentationNet other = SmallNet(ModelKind::kStudent, 2);
  WriteContents(folder_.File("encoder.safetensors"), *SerializeSafetensors(ToTorchvision(SaveWeights(other))));
  const torch::Tensor head = Entry("segmentation_head.0.weight").detach().clone();
  ASSERT_THAT(LoadEncoder(folder_.File("encoder.safetensors"), net_), IsOk());
  for (const auto& item : other->named_parameters()) {
    if (item.key().rfind("encoder.", 0) == 0) {
      EXPECT_TRUE(Entry(item.key()).equal(item.value())) << item.key();
    }
  }
  EXPECT_TRUE(Entry("segmentation_head.0.weight").equal(head));
}

TEST_F(EncoderWeightsTest, AnotherShapeNamesTheFileAndBothShapes) {
  Write("conv1.weight.npy", {64, 3, 7, 7}, 1);
  EXPECT_THAT(LoadEncoder(folder_.path(), net_),
              HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr(folder_.File("conv1.weight.npy")),
                                                            HasSubstr("[64, 3, 7, 7]"), HasSubstr("[4, 3, 7, 7]"))));
}

TEST_F(EncoderWeightsTest, AValueThatIsNotFiniteIsRefused) {
  Write("conv1.weight.npy", {4, 3, 7, 7}, std::nanf(""));
  EXPECT_THAT(LoadEncoder(folder_.path(), net_),
              HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr(folder_.path()), HasSubstr("finite"))));
}

TEST_F(EncoderWeightsTest, ADamagedArrayNamesItsFile) {
  Write("conv1.weight.npy", {4, 3, 7, 7}, 1);
  WriteContents(folder_.File("layer1.0.conv1.weight.npy"), "\x93NUMPY");
  EXPECT_THAT(LoadEncoder(folder_.path(), net_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("layer1.0.conv1.weight.npy: npy: ")));
}

TEST_F(EncoderWeightsTest, NothingOfAnEncoderIsRefused) {
  EXPECT_THAT(LoadEncoder(folder_.path(), net_), HasStatus(StatusCode::kInvalidArgument, HasSubstr(folder_.path())));
  WriteContents(folder_.File("x.safetensors"), "x");
  EXPECT_THAT(LoadEncoder(folder_.File("x.safetensors"), net_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("x.safetensors")));
}

TEST_F(EncoderWeightsTest, AMissingFileIsNotFound) {
  EXPECT_THAT(LoadEncoder(folder_.File("none"), net_), HasStatus(StatusCode::kNotFound, HasSubstr("none")));
}

}  // namespace
}  // namespace candor
