// SPDX-License-Identifier: Apache-2.0
//
// Affinity mask and cgroup quota.
#include "core/base/cpu_count.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"

namespace candor {
namespace {

constexpr int64_t kMaxFileBytes = 1 << 16;

std::string Contents(const std::string& path) { return ReadFile(path, kMaxFileBytes).value_or(""); }

// Microseconds of CPU time a period; "max" (version 2) and -1 (version 1) mean no limit.
std::optional<int> QuotaCores(absl::string_view quota_text, absl::string_view period_text) {
  int64_t quota = 0;
  int64_t period = 0;
  if (!absl::SimpleAtoi(quota_text, &quota) || !absl::SimpleAtoi(period_text, &period)) return std::nullopt;
  if (quota <= 0 || period <= 0) return std::nullopt;
  const int64_t cores = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<int>(std::min<int64_t>(cores, 1 << 20));
}

std::optional<int> QuotaOfDirectory(const std::string& directory, bool is_version_2) {
  if (is_version_2) {
    const std::string text = Contents(directory + "/cpu.max");
    const std::vector<absl::string_view> words = absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
    return words.size() == 2 ? QuotaCores(words[0], words[1]) : std::nullopt;
  }
  return QuotaCores(Contents(directory + "/cpu.cfs_quota_us"), Contents(directory + "/cpu.cfs_period_us"));
}

// The smallest quota of `path` and the cgroups above it. A container may show the host's path while its own cgroup is
// mounted as the root, so missing folders are passed over.
std::optional<int> SmallestQuota(const std::string& root, absl::string_view path, bool is_version_2) {
  std::optional<int> smallest;
  std::string directory = root;
  const auto take = [&] {
    const std::optional<int> quota = QuotaOfDirectory(directory, is_version_2);
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  };
  take();
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == "..") break;  // outside the cgroups that are mounted here
    absl::StrAppend(&directory, "/", part);
    take();
  }
  return smallest;
}

}  // namespace

std::optional<int> CgroupQuotaCores(const std::string& cgroup_root, absl::string_view membership) {
  std::optional<int> smallest;
  for (absl::string_view line : absl::StrSplit(membership, '\n', absl::SkipEmpty())) {
    // "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1.
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(parts[1], ',');
    const bool is_version_2 = parts[0] == "0" && parts[1].empty();
    if (!is_version_2 && std::find(controllers.begin(), controllers.end(), "cpu") == controllers.end()) continue;
    const std::optional<int> quota =
        SmallestQuota(is_version_2 ? cgroup_root : cgroup_root + "/cpu", parts[2], is_version_2);
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  }
  return smallest;
}

int UsableCores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // Fails on machines of more than CPU_SETSIZE cores.
  const int64_t cores =
      sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : sysconf(_SC_NPROCESSORS_ONLN);
  const int64_t quota = CgroupQuotaCores("/sys/fs/cgroup", Contents("/proc/self/cgroup")).value_or(cores);
  return static_cast<int>(std::max<int64_t>(1, std::min(cores, quota)));
}

}  // namespace candor
