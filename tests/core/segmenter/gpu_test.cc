// SPDX-License-Identifier: Apache-2.0
//
// The models of this repository on a GPU, where there is one.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/segmenter/device_memory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/shipped_model.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

class GpuTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    static const auto* const device = new absl::StatusOr<Device>(PrepareDevice(Device::kCuda));  // once a process
    if (!device->ok()) GTEST_SKIP() << device->status().message();
  }

  static std::unique_ptr<Segmenter> Load(Device device, Precision precision) {
    LoadOptions options;
    options.device = device;
    options.precision = precision;
    auto segmenter = LoadShipped(GetParam(), options);
    EXPECT_THAT(segmenter, IsOk());
    return *std::move(segmenter);
  }
};

const std::vector<std::string>& Samples() {
  static const auto* const samples =
      new std::vector<std::string>{"0001TP_008550.jpg", "Seq05VD_f01740.jpg", "Seq05VD_f03540.jpg"};
  return *samples;
}

TEST_P(GpuTest, AnswersAsTheCpu) {
  const auto cpu = Load(Device::kCpu, Precision::kFp32);
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    const auto gpu = Load(Device::kCuda, precision);
    EXPECT_EQ(gpu->info().device, "cuda");
    const auto [share, mean] = Compare(cpu.get(), gpu.get(), Samples());
    EXPECT_GE(share, 0.995) << PrecisionName(precision);
    EXPECT_LE(mean, 0.01) << PrecisionName(precision);
  }
  EXPECT_GT(DeviceMemoryNow()->used_bytes, 0);
}

// As the server runs it: each batch is started while the device may still work on the one before.
TEST_P(GpuTest, BatchesUnderWayTogetherHaveTheirOwnAnswers) {
  const auto gpu = Load(Device::kCuda, Precision::kFp32);
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveStddev, true}};
  std::vector<Segmentation> want;
  for (const std::string& sample : Samples()) want.push_back(Answer(gpu.get(), sample));
  for (int round = 0; round < 20; ++round) {
    std::vector<PendingAnswers> pending;
    for (const std::string& sample : Samples()) {
      const Picture picture(ReadSample(sample));
      const SegmentItem item = {&picture, {kinds}};
      auto started = gpu->StartBatch(absl::MakeConstSpan(&item, 1), {});
      ASSERT_THAT(started, IsOk());
      EXPECT_FALSE(started->are_ready());
      pending.push_back(*std::move(started));
    }
    for (size_t i = 0; i < pending.size(); ++i) {
      const auto got = std::move(pending[i]).Take();
      ASSERT_THAT(got, IsOk());
      EXPECT_EQ((*got)[0].labels, want[i].labels);
      EXPECT_EQ((*got)[0].kinds[0].map, want[i].kinds[0].map);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GpuTest, testing::Values("camvid-student", "camvid-teacher"));

}  // namespace
}  // namespace candor
