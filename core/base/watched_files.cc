// SPDX-License-Identifier: Apache-2.0
//
// Changes of files by their stamps.
#include "core/base/watched_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace candor {

WatchedFiles::Stamp WatchedFiles::Read(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size,
          int64_t{found.st_ctim.tv_sec} * 1'000'000'000 + found.st_ctim.tv_nsec};
}

bool WatchedFiles::Changed() {
  constexpr int64_t kSettledNs = 2'000'000'000;
  std::vector<Stamp> now;
  now.reserve(paths_.size());
  for (const std::string& path : paths_) now.push_back(Read(path));
  if (now == seen_ && is_settled_) return false;
  std::timespec clock{};
  std::timespec_get(&clock, TIME_UTC);
  const int64_t settled_before = int64_t{clock.tv_sec} * 1'000'000'000 + clock.tv_nsec - kSettledNs;
  is_settled_ = std::all_of(now.begin(), now.end(),
                            [settled_before](const Stamp& stamp) { return stamp.change_ns < settled_before; });
  seen_ = std::move(now);
  return true;
}

}  // namespace candor
