// SPDX-License-Identifier: Apache-2.0
//
// Which graphs are recorded and when they run, with a capturer that remembers the bodies and runs them again.
#include "core/segmenter/graph_members.h"

#include <c10/util/Exception.h>

#include "core/segmenter/engine_choice.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using torch::Tensor;

// Member m's logits are (m + 1) times the picture's first channel; it notes who ran.
class Scaling : public MemberSource {
 public:
  Scaling(int members, std::vector<int>* ran) : members_(members), ran_(*ran) {}

  int members() const override { return members_; }
  Scores Run(int index, const Tensor& images) override {
    ran_.push_back(index);
    return {images.narrow(1, 0, 1) * (index + 1), {}};
  }

 private:
  const int members_;
  std::vector<int>& ran_;
};

class Replayed : public CapturedGraph {
 public:
  explicit Replayed(std::vector<GraphCapturer::Body> bodies) : bodies_(std::move(bodies)) {}
  void Replay() override {
    for (const auto& body : bodies_) body();
  }

 private:
  const std::vector<GraphCapturer::Body> bodies_;
};

// What a GPU has no memory for from the `fails_from`-th recording on.
struct Recorder {
  std::vector<size_t> streams = {};  // of each recording
  size_t fails_from = 1000;
  bool fails_for_another_reason = false;
};

class RememberingCapturer : public GraphCapturer {
 public:
  explicit RememberingCapturer(Recorder* recorder) : recorder_(*recorder) {}

  std::unique_ptr<CapturedGraph> Capture(const std::vector<Body>& bodies) override {
    if (recorder_.fails_for_another_reason && recorder_.streams.size() >= recorder_.fails_from) throw std::bad_alloc();
    TORCH_CHECK_WITH(OutOfMemoryError, recorder_.streams.size() < recorder_.fails_from, "CUDA out of memory");
    recorder_.streams.push_back(bodies.size());
    for (const Body& body : bodies) body();
    return std::make_unique<Replayed>(bodies);
  }

 private:
  Recorder& recorder_;
};

class GraphMembersTest : public testing::Test {
 protected:
  GraphMembers Make(int members, bool shares_work = false) {
    return {std::make_unique<Scaling>(members, &ran_), shares_work, std::make_unique<RememberingCapturer>(&recorder_)};
  }

  // Runs all members on random pictures of [n, 3, height, width].
  void ExpectAllRight(GraphMembers* members, int64_t n, int64_t height, int64_t width) {
    const Tensor images = torch::randn({n, 3, height, width});
    for (int m = 0; m < members->members(); ++m) {
      EXPECT_TRUE(torch::equal(members->Run(m, images).logits, images.narrow(1, 0, 1) * (m + 1))) << m;
    }
  }

  torch::InferenceMode inference_;
  std::vector<int> ran_;
  Recorder recorder_;
};

TEST(CanBeRecordedTest, NothingThatNeedsTheHost) {
  LoadOptions options;
  options.device = Device::kCuda;
  ModelSpec spec;
  spec.kind = ModelKind::kEnsemble;
  EXPECT_TRUE(CanBeRecorded(options, spec));
  spec.sampling.method = SamplingMethod::kAugmentation;
  EXPECT_TRUE(CanBeRecorded(options, spec));
  for (const SamplingMethod method : {SamplingMethod::kMcDropout, SamplingMethod::kLogitSamples}) {
    spec.sampling.method = method;
    EXPECT_FALSE(CanBeRecorded(options, spec)) << SamplingMethodName(method);
  }
  spec.sampling.method = SamplingMethod::kNone;
  for (const UncertaintyHead head : {UncertaintyHead::kEnergy, UncertaintyHead::kFeatureDensity}) {
    spec.head = head;
    EXPECT_FALSE(CanBeRecorded(options, spec)) << UncertaintyHeadName(head);
  }
  options.device = Device::kCpu;
  EXPECT_FALSE(CanBeRecorded(options, ModelSpec()));
}

// The last stage of 1024x2048 has 64 x 128 positions: 64 tiles of 128, times 4 of 512 outputs, 256 for 132
// multiprocessors; of 512x1024 64; of 368x480, 690 positions in 6 tiles, 24.
TEST(MembersSideBySideTest, FillTheGpu) {
  EXPECT_EQ(MembersSideBySide(1, 1024, 2048, 10), 1);
  EXPECT_EQ(MembersSideBySide(1, 512, 1024, 10), 3);
  EXPECT_EQ(MembersSideBySide(1, 368, 480, 10), 6);
  EXPECT_EQ(MembersSideBySide(4, 368, 480, 10), 2);
  EXPECT_EQ(MembersSideBySide(1, 16, 16, 10), 10);
  EXPECT_EQ(MembersSideBySide(1, 16, 16, 1), 1);
}

TEST_F(GraphMembersTest, KnowsHowManyHaveBeenComputed) {
  GraphMembers members = Make(3);
  const Tensor large = torch::zeros({1, 3, 1024, 2048});
  const Tensor small = torch::zeros({1, 3, 32, 32});
  for (int m = 0; m < 3; ++m) {
    members.Run(m, large);
    EXPECT_EQ(members.ComputedAfter(m), m + 1) << "each is a graph of its own";
  }
  members.Run(0, small);
  EXPECT_EQ(members.ComputedAfter(0), 3) << "all are one graph";
}

TEST_F(GraphMembersTest, EachPictureGetsItsOwnScores) {
  GraphMembers members = Make(3);
  for (int i = 0; i < 3; ++i) ExpectAllRight(&members, 1, 32, 48);
  ExpectAllRight(&members, 2, 32, 48);
  ExpectAllRight(&members, 1, 32, 48);
  EXPECT_THAT(recorder_.streams, ElementsAre(3, 3));  // a batch of two is another shape
}

TEST_F(GraphMembersTest, MembersOfALargePictureRunWhenTheyAreAskedFor) {
  GraphMembers members = Make(4);
  const Tensor images = torch::randn({1, 3, 1024, 2048});
  members.Run(0, images);  // records
  EXPECT_THAT(recorder_.streams, ElementsAre(1, 1, 1, 1));
  ran_.clear();
  members.Run(0, images);
  members.Run(1, images);
  EXPECT_THAT(ran_, ElementsAre(0, 1));
}

TEST_F(GraphMembersTest, MembersOfASmallPictureRunSideBySide) {
  GraphMembers members = Make(10);
  ExpectAllRight(&members, 1, 368, 480);
  EXPECT_THAT(recorder_.streams, ElementsAre(6));
  ran_.clear();
  const Tensor images = torch::randn({1, 3, 368, 480});
  members.Run(0, images);
  EXPECT_THAT(ran_, testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  ran_.clear();
  members.Run(1, images);
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(GraphMembersTest, MembersThatShareWorkRunInOrderOnOneStream) {
  GraphMembers members = Make(3, /*shares_work=*/true);
  ExpectAllRight(&members, 1, 32, 32);
  ExpectAllRight(&members, 1, 32, 32);
  EXPECT_THAT(recorder_.streams, ElementsAre(1));
  ran_.clear();
  members.Run(0, torch::randn({1, 3, 32, 32}));
  EXPECT_THAT(ran_, ElementsAre(0, 1, 2));
}

TEST_F(GraphMembersTest, TheShapeThatWasLeftAloneLongestIsForgotten) {
  GraphMembers members = Make(1);
  for (int i = 1; i <= static_cast<int>(GraphMembers::kMostShapes); ++i) ExpectAllRight(&members, 1, 16 * i, 16);
  ExpectAllRight(&members, 1, 16, 16);   // used again
  ExpectAllRight(&members, 1, 16, 320);  // takes the place of height 32
  const size_t recordings = recorder_.streams.size();
  ExpectAllRight(&members, 1, 16, 16);
  EXPECT_EQ(recorder_.streams.size(), recordings);
  ExpectAllRight(&members, 1, 32, 16);
  EXPECT_EQ(recorder_.streams.size(), recordings + 1);
}

TEST_F(GraphMembersTest, WithoutMemoryForAGraphItComputesWithoutOne) {
  GraphMembers members = Make(2);
  ExpectAllRight(&members, 1, 32, 32);
  recorder_.fails_from = 1;
  ExpectAllRight(&members, 1, 64, 64);
  ExpectAllRight(&members, 1, 64, 64);  // not tried again
  ran_.clear();
  members.Run(0, torch::randn({1, 3, 64, 64}));
  EXPECT_THAT(ran_, ElementsAre(0));
  // The other shape's graph gave its memory back, and is recorded anew once there is some.
  recorder_.fails_from = 1000;
  ExpectAllRight(&members, 1, 32, 32);
  EXPECT_THAT(recorder_.streams, ElementsAre(2, 2));
}

TEST_F(GraphMembersTest, WhateverErrorARecordingEndsWithNothingIsLeftOfIt) {
  GraphMembers members = Make(3);
  recorder_.fails_from = 1;
  recorder_.fails_for_another_reason = true;
  ExpectAllRight(&members, 1, 1024, 2048);
  ExpectAllRight(&members, 1, 1024, 2048);
}

// Half way: a graph of the first member alone would be taken for one of all.
TEST_F(GraphMembersTest, ARecordingThatFailsHalfWayLeavesNothing) {
  GraphMembers members = Make(3);
  recorder_.fails_from = 1;
  ExpectAllRight(&members, 1, 1024, 2048);
  ExpectAllRight(&members, 1, 1024, 2048);
}

}  // namespace
}  // namespace candor
