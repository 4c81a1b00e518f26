// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace candor {

// A shared memory object of this process, gone with it.
class SharedFile {
 public:
  explicit SharedFile(const std::string& contents) {
    static int count = 0;
    key_ = absl::StrCat("/candor-test-", getpid(), "-", ++count);
    fd_ = shm_open(key_.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    EXPECT_GE(fd_, 0);
    Write(contents);
  }
  ~SharedFile() {
    close(fd_);
    shm_unlink(key_.c_str());
  }
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;

  void Write(absl::string_view contents) const {
    EXPECT_EQ(pwrite(fd_, contents.data(), contents.size(), 0), static_cast<ssize_t>(contents.size()));
  }
  void Cut(off_t bytes) const { EXPECT_EQ(ftruncate(fd_, bytes), 0); }
  std::string Contents(size_t bytes) const {
    std::string contents(bytes, '\0');
    EXPECT_EQ(pread(fd_, contents.data(), bytes, 0), static_cast<ssize_t>(bytes));
    return contents;
  }
  const std::string& key() const { return key_; }

 private:
  std::string key_;
  int fd_ = -1;
};

}  // namespace candor
