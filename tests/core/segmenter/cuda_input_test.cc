// SPDX-License-Identifier: Apache-2.0
//
// The GPU's preprocessing on memory of the CPU, with the kernel's code for one value in a loop, against the CPU's.
#include "core/segmenter/cuda_input.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/nn/preprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/loop_plugin.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

constexpr Normalisation kImageNets = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

std::string RandomBytes(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(static_cast<size_t>(3) * width * height, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() & 255);
  return bytes;
}

Picture PictureOf(int width, int height, const std::string& bytes) {
  const absl::string_view whole = bytes;
  const size_t cut = whole.size() / 2 + 1;  // within a row and a pixel
  return Picture(width, height, {whole.substr(0, cut), whole.substr(cut)});
}

TEST(CudaInputTest, GivesTheBitsOfTheCpu) {
  // Of one padded size, 96 by 80: the full one, one smaller in both directions, and one in each.
  const std::vector<std::pair<int, int>> sizes = {{80, 96}, {67, 81}, {65, 96}, {80, 85}};
  std::vector<std::string> bytes;
  std::vector<Picture> pictures;
  std::vector<const Picture*> batch;
  bytes.reserve(sizes.size());
  pictures.reserve(sizes.size());
  for (const auto& [width, height] : sizes) {
    bytes.push_back(RandomBytes(width, height, static_cast<unsigned>(bytes.size())));
    pictures.push_back(PictureOf(width, height, bytes.back()));
    batch.push_back(&pictures.back());
  }
  LoopPlugin plugin;
  for (const Normalisation& normalisation : {Normalisation(), kImageNets}) {
    const auto actual = CudaInput(&plugin, torch::kCPU).Make(batch, normalisation);
    ASSERT_THAT(actual, IsOk());
    EXPECT_EQ(actual->sizes(), torch::IntArrayRef({4, 3, 96, 80}));
    EXPECT_TRUE(actual->is_contiguous(torch::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(actual->equal(Preprocess(batch, normalisation)));
  }
}

TEST(CudaInputTest, AFailingGpuIsAborted) {
  class Failing : public LoopPlugin {
   public:
    const char* Preprocess(const CudaPreprocessJob& /*job*/, CUstream_st* /*stream*/) override { return "unplugged"; }
  };
  const std::string bytes = RandomBytes(16, 16, 1);
  const Picture picture = PictureOf(16, 16, bytes);
  const Picture* const only = &picture;
  Failing plugin;
  EXPECT_THAT(CudaInput(&plugin, torch::kCPU).Make(absl::MakeConstSpan(&only, 1), {}),
              HasStatus(absl::StatusCode::kAborted, testing::HasSubstr("unplugged")));
}

}  // namespace
}  // namespace candor
