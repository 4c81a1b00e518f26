// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace candor {
namespace {

std::map<std::string, double> Values() {
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : ProcessMetrics().Collect()) {
    const prometheus::ClientMetric& metric = family.metric.at(0);
    const bool is_counter = family.type == prometheus::MetricType::Counter;
    values[family.name] = is_counter ? metric.counter.value : metric.gauge.value;
  }
  return values;
}

TEST(ProcessMetricsTest, ReportsTheStandardNames) {
  std::vector<std::string> names;
  for (const auto& [name, value] : Values()) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("process_cpu_seconds_total", "process_max_fds", "process_open_fds",
                                          "process_resident_memory_bytes", "process_start_time_seconds",
                                          "process_virtual_memory_bytes"));
}

TEST(ProcessMetricsTest, AnOpenFileCounts) {
  const double before = Values()["process_open_fds"];
  const int file = dup(0);
  EXPECT_EQ(Values()["process_open_fds"], before + 1);
  close(file);
}

TEST(ProcessMetricsTest, TouchedMemoryCounts) {
  constexpr size_t kBytes = 64 << 20;
  const double before = Values()["process_resident_memory_bytes"];
  const std::vector<char> touched(kBytes, 1);
  EXPECT_GE(Values()["process_resident_memory_bytes"], before + kBytes / 2.0);
  EXPECT_GE(Values()["process_virtual_memory_bytes"], Values()["process_resident_memory_bytes"]);
}

TEST(ProcessMetricsTest, CpuTimeAgreesWithTheKernelsOwnCount) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  double at_least = 0;
  while (at_least < 0.1) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    at_least = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  // /proc counts in ticks of 10 ms, and user and system time are cut one by one.
  EXPECT_GE(Values()["process_cpu_seconds_total"], at_least - 0.03);
}

TEST(ProcessMetricsTest, StartTimeIsBeforeNowAndAfterYesterday) {
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(Values()["process_start_time_seconds"], now + 2);  // the boot time is cut to seconds
  EXPECT_GE(Values()["process_start_time_seconds"], now - 86400);
}

TEST(ProcessMetricsTest, TheFileLimitIsTheProcesss) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(Values()["process_max_fds"], static_cast<double>(limit.rlim_cur));
}

}  // namespace
}  // namespace candor
