// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace candor {

// Tells when one of a set of files has changed, also by a swapped directory or symbolic link. Costs one stat(2) a file.
// Thread-compatible.
class WatchedFiles {
 public:
  explicit WatchedFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  // True if the files are to be read: the first time, when one has changed since the last call and, because a second
  // change may bear the same time stamp, also as long as the last change is younger than two seconds.
  bool Changed();

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;         // -1: no such file
    int64_t change_ns = -1;  // ctime, which unlike mtime cannot be set

    bool operator==(const Stamp& other) const {
      return device == other.device && inode == other.inode && size == other.size && change_ns == other.change_ns;
    }
  };

  static Stamp Read(const std::string& path);

  const std::vector<std::string> paths_;
  std::vector<Stamp> seen_;
  bool is_settled_ = false;
};

}  // namespace candor
