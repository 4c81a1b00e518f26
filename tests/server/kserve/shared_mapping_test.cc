// SPDX-License-Identifier: Apache-2.0
//
// A mapped file whose other owner cuts it.
#include "server/kserve/shared_mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::Each;
using testing::HasSubstr;
using Rights = SharedMapping::Rights;

constexpr size_t kBytes = 64 << 10;

// Memory with a descriptor, of the byte 'x'.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("candor-test", MFD_CLOEXEC)) {
    const std::string contents(kBytes, 'x');
    EXPECT_EQ(pwrite(fd_, contents.data(), contents.size(), 0), static_cast<ssize_t>(kBytes));
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int fd() const { return fd_; }
  void Resize(off_t bytes) const { EXPECT_EQ(ftruncate(fd_, bytes), 0); }
  std::string Contents(size_t at, size_t bytes) const {
    std::string contents(bytes, '\0');
    EXPECT_EQ(pread(fd_, contents.data(), bytes, static_cast<off_t>(at)), static_cast<ssize_t>(bytes));
    return contents;
  }

 private:
  int fd_;
};

std::unique_ptr<SharedMapping> MapOrFail(const MemoryFile& file, uint64_t offset, uint64_t bytes,
                                         Rights rights = Rights::kReadAndWrite) {
  auto mapping = SharedMapping::Map(file.fd(), offset, bytes, rights);
  EXPECT_THAT(mapping.status(), IsOk());
  return *std::move(mapping);
}

// Whether all that was copied was there.
bool CopyAll(const SharedMapping& mapping, std::string* bytes) {
  std::memcpy(bytes->data(), mapping.bytes(), bytes->size());
  return !mapping.is_cut();
}

TEST(SharedMappingTest, ReadsAndWritesWhereverItBegins) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 5001, 100);
  std::memcpy(mapping->bytes(), "ab", 2);
  EXPECT_FALSE(mapping->is_cut());
  EXPECT_EQ(file.Contents(5000, 4), "xabx");
  std::string bytes(3, '\0');
  EXPECT_TRUE(CopyAll(*mapping, &bytes));
  EXPECT_EQ(bytes, "abx");
}

TEST(SharedMappingTest, WhatIsCutOffReadsAsZerosAndTheAccessFails) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 0, kBytes);
  file.Resize(0);
  std::string bytes(kBytes, 'y');
  EXPECT_FALSE(CopyAll(*mapping, &bytes));
  EXPECT_THAT(bytes, Each('\0'));
}

TEST(SharedMappingTest, AFileCutBetweenTwoWritesIsNoticed) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 0, kBytes);
  mapping->bytes()[0] = 'a';
  EXPECT_FALSE(mapping->is_cut());
  file.Resize(0);
  mapping->bytes()[kBytes - 1] = 'b';
  EXPECT_TRUE(mapping->is_cut());
}

// As the network's threads read a picture, each some of its rows, beside mappings that come and go.
TEST(SharedMappingTest, ManyThreadsMayFindOutAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const MemoryFile file;
    const MemoryFile other;
    const auto mapping = MapOrFail(file, 0, kBytes);
    const auto whole = MapOrFail(other, 0, kBytes);
    file.Resize(0);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int times = 0; times < 20; ++times) MapOrFail(other, 0, 100);
        std::string part(kBytes / 4, 'y');
        std::memcpy(part.data(), mapping->bytes() + i * part.size(), part.size());
        EXPECT_THAT(part, Each('\0'));
        EXPECT_TRUE(mapping->is_cut());
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(whole->is_cut());
    EXPECT_EQ(whole->bytes()[kBytes - 1], 'x');
  }
}

TEST(SharedMappingTest, APlaceThatIsFreedIsAnothersWithoutTheMark) {
  const MemoryFile file;
  std::vector<std::unique_ptr<SharedMapping>> mappings;
  for (size_t i = 0; i < SharedMapping::kMost; ++i) mappings.push_back(MapOrFail(file, 0, 1));
  EXPECT_THAT(SharedMapping::Map(file.fd(), 0, 1, Rights::kRead).status(),
              HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("1024 pieces are mapped")));
  file.Resize(0);
  EXPECT_EQ(mappings[7]->bytes()[0], 0);
  EXPECT_TRUE(mappings[7]->is_cut());
  mappings[7] = nullptr;
  file.Resize(kBytes);
  EXPECT_FALSE(MapOrFail(file, 0, 1)->is_cut());
}

TEST(SharedMappingTest, ItStaysCutForAllThreadsWhenTheFileGrowsAgain) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 0, kBytes);
  file.Resize(0);
  std::string bytes(kBytes, '\0');
  EXPECT_FALSE(CopyAll(*mapping, &bytes));
  file.Resize(kBytes);
  std::thread([&] { EXPECT_FALSE(CopyAll(*mapping, &bytes)); }).join();
  EXPECT_TRUE(CopyAll(*MapOrFail(file, 0, kBytes), &bytes)) << "mapped anew";
}

TEST(SharedMappingTest, APartThatIsStillThereCanBeReadBesideOneThatIsCutOff) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 0, kBytes);
  file.Resize(kBytes / 2);
  std::string bytes(kBytes / 2, '\0');
  EXPECT_TRUE(CopyAll(*mapping, &bytes));
  EXPECT_THAT(bytes, Each('x'));
}

TEST(SharedMappingTest, ReadingIsAllThatMayBeAskedFor) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 0, kBytes, Rights::kRead);
  std::string bytes(kBytes, '\0');
  EXPECT_TRUE(CopyAll(*mapping, &bytes));
  EXPECT_THAT(bytes, Each('x'));
}

TEST(SharedMappingTest, MoreThanTheAddressSpaceIsAnError) {
  const MemoryFile file;
  EXPECT_THAT(SharedMapping::Map(file.fd(), 0, uint64_t{1} << 62, Rights::kRead).status(),
              HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("cannot map")));
}

TEST(SharedMappingDeathTest, ASignalThatWasSentEndsTheProcessAsBefore) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 0, kBytes);
  EXPECT_DEATH(kill(getpid(), SIGBUS), "");
}

TEST(SharedMappingDeathTest, AFaultOfSomebodyElseEndsTheProcessAsBefore) {
  const MemoryFile file;
  const auto mapping = MapOrFail(file, 0, kBytes);
  void* other = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  ASSERT_NE(other, MAP_FAILED);
  EXPECT_DEATH(
      {
        file.Resize(0);
        *static_cast<volatile uint8_t*>(other) = 1;
      },
      "");
  munmap(other, kBytes);
}

}  // namespace
}  // namespace candor
