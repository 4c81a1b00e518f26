// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/gpu_metrics.h"

#include <string>

#include "gmock/gmock.h"
#include "prometheus/text_serializer.h"

namespace candor {
namespace {

std::string Page(const GpuMetrics& metrics) { return prometheus::TextSerializer().Serialize(metrics.Collect()); }

TEST(GpuMetricsTest, SaysWhatIsUsedAndFreeAtEachScrape) {
  DeviceMemory memory = {7, 3};
  const GpuMetrics metrics([&memory] { return memory; });
  EXPECT_THAT(Page(metrics), testing::HasSubstr("candor_gpu_memory_bytes{state=\"used\"} 7\n"));
  EXPECT_THAT(Page(metrics), testing::HasSubstr("candor_gpu_memory_bytes{state=\"free\"} 3\n"));
  memory.used_bytes = 8;
  EXPECT_THAT(Page(metrics), testing::HasSubstr("candor_gpu_memory_bytes{state=\"used\"} 8\n"));
}

TEST(GpuMetricsTest, IsAbsentWithoutAGpu) {
  EXPECT_EQ(Page(GpuMetrics([] { return std::nullopt; })), "");
}

}  // namespace
}  // namespace candor
