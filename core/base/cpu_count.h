// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace candor {

// How many cores this process may keep busy: those its affinity allows, or fewer where a cgroup's quota says so
// (rounded up). At least 1.
int UsableCores();

// The CPU quota of a process's cgroups in cores, rounded up, at least 1; nothing without a quota. `cgroup_root` is
// where the cgroups are mounted ("/sys/fs/cgroup"), `membership` the text of /proc/self/cgroup. Version 2 (cpu.max) and
// 1 (cpu/cpu.cfs_quota_us); the quotas of the parent cgroups count too. Files that are missing or make no sense are no
// quota.
std::optional<int> CgroupQuotaCores(const std::string& cgroup_root, absl::string_view membership);

}  // namespace candor
