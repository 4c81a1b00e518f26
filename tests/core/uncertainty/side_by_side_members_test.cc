// SPDX-License-Identifier: Apache-2.0
//
// Which members compute at the same time, and that all say what they say alone.
#include "core/uncertainty/side_by_side_members.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using torch::Tensor;

// Logits are `factor` times the picture's first channel. Says on which of how many of Torch's threads it ran.
class Scaling : public Network {
 public:
  explicit Scaling(float factor) : factor_(factor) {}

  Scores Forward(const Tensor& images) override {
    ++runs;
    thread = at::get_thread_num();
    was_alone = !at::in_parallel_region();
    is_inference = torch::InferenceMode::is_enabled();
    if (fails) throw std::runtime_error("no memory");
    return {images.narrow(1, 0, 1) * factor_, {}};
  }

  int runs = 0;
  int thread = -1;
  bool was_alone = false;
  bool is_inference = false;
  bool fails = false;

 private:
  const float factor_;
};

class SideBySideMembersTest : public testing::Test {
 protected:
  SideBySideMembersTest() { at::set_num_threads(2); }
  ~SideBySideMembersTest() override { at::set_num_threads(threads_); }

  SideBySideMembers Make(int count) {
    for (int m = 0; m < count; ++m) networks_.push_back(std::make_shared<Scaling>(static_cast<float>(m + 1)));
    return SideBySideMembers({networks_.begin(), networks_.end()});
  }

  static void ExpectAllRight(SideBySideMembers* members, const Tensor& images) {
    for (int m = 0; m < members->members(); ++m) {
      EXPECT_TRUE(torch::equal(members->Run(m, images).logits, images.narrow(1, 0, 1) * (m + 1))) << m;
    }
  }

  const int threads_ = at::get_num_threads();
  torch::InferenceMode inference_;
  std::vector<std::shared_ptr<Scaling>> networks_;
};

TEST_F(SideBySideMembersTest, EveryPictureGetsTheScoresOfEachMember) {
  SideBySideMembers members = Make(5);
  for (int i = 0; i < 3; ++i) ExpectAllRight(&members, torch::randn({1, 3, 32, 48}));
  ExpectAllRight(&members, torch::randn({2, 3, 64, 32}));
  for (const auto& network : networks_) EXPECT_EQ(network->runs, 4);
}

TEST_F(SideBySideMembersTest, KnowsHowManyHaveBeenComputed) {
  SideBySideMembers members = Make(5);
  const auto computed = [&members](const Tensor& images) {
    std::vector<int> counts;
    for (int m = 0; m < members.members(); ++m) {
      members.Run(m, images);
      counts.push_back(members.ComputedAfter(m));
    }
    return counts;
  };
  EXPECT_THAT(computed(torch::randn({1, 3, 32, 32})), ElementsAre(2, 2, 4, 4, 5));
  EXPECT_THAT(computed(torch::randn({1, 3, 1024, 1024})), ElementsAre(1, 2, 3, 4, 5)) << "large ones have no groups";
}

TEST_F(SideBySideMembersTest, AThreadEachAndTheRestShareThem) {
  SideBySideMembers members = Make(5);
  ExpectAllRight(&members, torch::randn({1, 3, 32, 32}));
  for (const size_t first : {0, 2}) {
    EXPECT_THAT((std::vector<int>{networks_[first]->thread, networks_[first + 1]->thread}), UnorderedElementsAre(0, 1));
  }
  std::vector<bool> alone;
  for (const auto& network : networks_) {
    alone.push_back(network->was_alone);
    EXPECT_TRUE(network->is_inference);
  }
  EXPECT_THAT(alone, ElementsAre(false, false, false, false, true));
}

TEST_F(SideBySideMembersTest, MembersThatNobodyAsksForDoNotRun) {
  SideBySideMembers members = Make(6);
  const Tensor images = torch::randn({1, 3, 32, 32});
  for (int m = 0; m < 3; ++m) members.Run(m, images);  // then the request is given up
  EXPECT_EQ(networks_[3]->runs, 1);
  EXPECT_EQ(networks_[4]->runs, 0);
  ExpectAllRight(&members, torch::randn({1, 3, 32, 32}));
}

TEST_F(SideBySideMembersTest, MembersOfLargePicturesAndFewerThanThreadsRunOneByOne) {
  SideBySideMembers members = Make(2);
  ExpectAllRight(&members, torch::randn({1, 3, 1024, 1024}));
  EXPECT_TRUE(networks_[0]->was_alone);
  ExpectAllRight(&members, torch::randn({1, 3, 512, 1024}));
  EXPECT_FALSE(networks_[0]->was_alone);
  at::set_num_threads(3);
  ExpectAllRight(&members, torch::randn({1, 3, 32, 32}));
  EXPECT_TRUE(networks_[0]->was_alone);
}

TEST_F(SideBySideMembersTest, AMembersErrorIsTheGroups) {
  SideBySideMembers members = Make(2);
  const Tensor images = torch::randn({1, 3, 32, 32});
  networks_[1]->fails = true;
  EXPECT_THROW(members.Run(0, images), std::runtime_error);
  networks_[1]->fails = false;
  ExpectAllRight(&members, images);
}

}  // namespace
}  // namespace candor
