// SPDX-License-Identifier: Apache-2.0
//
// Quotas from cgroup trees made in a temporary folder.
#include "core/base/cpu_count.h"

#include <sched.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "gtest/gtest.h"

namespace candor {
namespace {

class CgroupTest : public testing::Test {
 protected:
  CgroupTest() : root_(testing::TempDir() + "cgroup_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~CgroupTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + name).parent_path());
    std::ofstream(root_ + "/" + name) << text;
  }

  const std::string root_;
};

TEST_F(CgroupTest, NoFilesMeanNoQuota) {
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/\n"), std::nullopt);
  EXPECT_EQ(CgroupQuotaCores(root_, ""), std::nullopt);
}

TEST_F(CgroupTest, Version2QuotaIsRoundedUp) {
  Write("cpu.max", "250000 100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/\n"), 3);
  Write("cpu.max", "200000 100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/\n"), 2);
  Write("cpu.max", "1000 100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/\n"), 1);
}

TEST_F(CgroupTest, Version2MaxIsNoQuota) {
  Write("cpu.max", "max 100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/\n"), std::nullopt);
}

TEST_F(CgroupTest, SmallestQuotaOfTheAncestorsCounts) {
  Write("cpu.max", "max 100000\n");
  Write("a/cpu.max", "300000 100000\n");
  Write("a/b/cpu.max", "800000 100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/a/b\n"), 3);
}

TEST_F(CgroupTest, PathOfAnotherNamespaceFallsBackToTheMountedRoot) {
  Write("cpu.max", "150000 100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/docker/0123abcd\n"), 2);
  EXPECT_EQ(CgroupQuotaCores(root_, "0::/../../elsewhere\n"), 2);
}

TEST_F(CgroupTest, Version1QuotaIsRead) {
  Write("cpu/job/cpu.cfs_quota_us", "350000\n");
  Write("cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "5:memory:/job\n4:cpu,cpuacct:/job\n"), 4);
}

TEST_F(CgroupTest, Version1MinusOneIsNoQuota) {
  Write("cpu/cpu.cfs_quota_us", "-1\n");
  Write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "4:cpu,cpuacct:/\n"), std::nullopt);
}

TEST_F(CgroupTest, NonsenseIsNoQuota) {
  for (const char* text : {"", "7", "a b", "1 0", "-5 100000", "0 100000", "1 2 3", "99999999999999999999 1"}) {
    Write("cpu.max", text);
    EXPECT_EQ(CgroupQuotaCores(root_, "0::/\n"), std::nullopt) << text;
  }
  Write("cpu.max", "200000 100000\n");
  EXPECT_EQ(CgroupQuotaCores(root_, "no colons here\n"), std::nullopt);
}

TEST(UsableCoresTest, FollowsTheAffinity) {
  int cores = 0;
  std::thread([&cores] {  // an affinity belongs to a thread: this one takes its own with it
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    int first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    ASSERT_EQ(sched_setaffinity(0, sizeof(allowed), &allowed), 0);
    cores = UsableCores();
  })
      .join();
  EXPECT_EQ(cores, 1);
}

TEST(UsableCoresTest, IsAtLeastOneAndAtMostTheMachine) {
  EXPECT_GE(UsableCores(), 1);
  EXPECT_LE(UsableCores(), static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace candor
