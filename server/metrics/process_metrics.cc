// SPDX-License-Identifier: Apache-2.0
//
// CPU time, memory and file descriptors of this process.
#include "server/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace candor {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::string ReadStream(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

double ToNumber(absl::string_view word) {
  double value = 0;
  return absl::SimpleAtod(word, &value) ? value : 0;
}

void AddFamily(const char* name, const char* help, MetricType type, double value, std::vector<MetricFamily>* families) {
  prometheus::ClientMetric metric;
  if (type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  families->push_back({name, help, type, {std::move(metric)}});
}

// Seconds since the epoch at which the kernel came up.
double BootTime() {
  for (absl::string_view line : absl::StrSplit(ReadStream("/proc/stat"), '\n')) {
    if (absl::ConsumePrefix(&line, "btime ")) return ToNumber(line);
  }
  return 0;
}

// Fields after the program's name, which may hold spaces and brackets: [0] is field 3 of proc(5), the state.
std::vector<std::string> StatFields() {
  const std::string stat = ReadStream("/proc/self/stat");
  const size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return {};
  return absl::StrSplit(stat.substr(end_of_name + 1), ' ', absl::SkipEmpty());
}

int OpenFiles() {
  std::error_code error;
  int count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // without the one that lists them
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  const std::vector<std::string> fields = StatFields();
  if (fields.size() < 22) return {};
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  std::vector<MetricFamily> families;
  AddFamily("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter,
            (ToNumber(fields[11]) + ToNumber(fields[12])) / ticks, &families);
  AddFamily("process_start_time_seconds", "Start time since the Unix epoch.", MetricType::Gauge,
            BootTime() + ToNumber(fields[19]) / ticks, &families);
  AddFamily("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, ToNumber(fields[20]), &families);
  AddFamily("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, ToNumber(fields[21]) * page,
            &families);
  AddFamily("process_open_fds", "Open file descriptors.", MetricType::Gauge, OpenFiles(), &families);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    AddFamily("process_max_fds", "Most file descriptors this process may open.", MetricType::Gauge,
              static_cast<double>(limit.rlim_cur), &families);
  }
  return families;
}

}  // namespace candor
