// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/network_predictor.h"

#include <torch/torch.h>

#include <cmath>
#include <memory>
#include <vector>

#include "core/nn/weights.h"
#include "core/uncertainty/cpu_reducer.h"
#include "core/uncertainty/make_predictor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/nn/formula_weights.h"
#include "tests/testing/golden.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

// Answers with fixed scores, and counts.
class FixedNetwork : public Network {
 public:
  explicit FixedNetwork(torch::Tensor logits) : logits_(std::move(logits)) {}
  Scores Forward(const torch::Tensor& /*images*/) override {
    ++calls;
    return {logits_, {}};
  }
  int calls = 0;

 private:
  const torch::Tensor logits_;
};

NetworkPredictor PredictorOf(std::vector<std::shared_ptr<Network>> members) {
  return {std::make_unique<NetworkMembers>(std::move(members)), {}, {}, std::make_unique<CpuReducer>()};
}

std::vector<KindRequest> AllMaps() {
  std::vector<KindRequest> requests;
  for (const UncertaintyKind kind : kMemberUncertaintyKinds) requests.push_back({kind, true, 0.1f});
  return requests;
}

ModelSpec SpecOf(ModelKind kind, int members, int classes, int width) {
  ModelSpec spec;
  spec.kind = kind;
  spec.width = width;
  spec.classes.resize(classes);
  if (kind == ModelKind::kStudent) spec.learned = {UncertaintyKind::kPredictiveStddev};
  spec.uncertainty = UncertaintyKindsOf(spec);
  spec.weights.resize(members);
  return spec;
}

TEST(NetworkPredictorTest, EnsembleAgreesWithTheReferenceInEveryKind) {
  torch::InferenceMode inference;
  std::vector<TensorFile> members;
  for (int m = 0; m < 3; ++m) {
    const SegmentationNet net(16, 7, 0);
    FillWithFormula(net, absl::StrCat("member", m));
    members.push_back(SaveWeights(net));
  }
  auto predictor = MakeCpuPredictor(SpecOf(ModelKind::kEnsemble, 3, 7, 16), members);
  ASSERT_THAT(predictor, IsOk());
  const std::vector<KindRequest> kinds = AllMaps();
  const auto results = (*predictor)->Predict(FormulaImage(48, 64), {48, 64}, {kinds}, nullptr);
  ASSERT_THAT(results, IsOk());
  auto golden = ReadGolden("ensemble");
  golden.merge(ReadGolden("ensemble_votes"));
  const Segmentation& result = (*results)[0];
  int different = 0;
  for (int i = 0; i < 48 * 64; ++i) {
    const bool same = result.labels[i] == static_cast<uint8_t>(golden["label"].data[i]);
    different += !same;
    if (!same) continue;
    for (const KindResult& kind : result.kinds) {
      const NamedTensor& want = golden[std::string(UncertaintyKindName(kind.statistics.kind))];
      float value = 0;
      std::memcpy(&value, want.data.data() + sizeof(float) * i, sizeof(float));
      ASSERT_NEAR(kind.map[i], value, 5e-4) << want.name << " at " << i;
    }
  }
  EXPECT_LE(different, 1);  // of 3072: labels may change only where two classes are equal
}

TEST(NetworkPredictorTest, ReducesEachPictureOfABatchByItself) {
  // Two pictures, two classes: the first is sure of class 0, the second of class 1.
  torch::Tensor logits = torch::zeros({2, 2, 4, 4});
  logits[0][0].fill_(5);
  logits[1][1].fill_(5);
  NetworkPredictor predictor = PredictorOf({std::make_shared<FixedNetwork>(logits)});
  const auto results = predictor.Predict(torch::zeros({2, 3, 16, 16}), {16, 16}, {}, nullptr);
  ASSERT_THAT(results, IsOk());
  EXPECT_EQ((*results)[0].classes[0].pixels, 256);
  EXPECT_EQ((*results)[1].classes[1].pixels, 256);
}

TEST(NetworkPredictorTest, StopsBetweenMembersWhenCancelled) {
  const auto first = std::make_shared<FixedNetwork>(torch::zeros({1, 2, 4, 4}));
  const auto second = std::make_shared<FixedNetwork>(torch::zeros({1, 2, 4, 4}));
  NetworkPredictor predictor = PredictorOf({first, second});
  EXPECT_EQ(
      predictor.Predict(torch::zeros({1, 3, 16, 16}), {16, 16}, {}, [&] { return first->calls > 0; }).status().code(),
      StatusCode::kCancelled);
  EXPECT_EQ(first->calls, 1);
  EXPECT_EQ(second->calls, 0);
}

TEST(NetworkPredictorTest, NamesTheMemberWithNonFiniteScores) {
  const torch::Tensor fine = torch::zeros({1, 2, 4, 4});
  const torch::Tensor bad = torch::full({1, 2, 4, 4}, NAN);
  NetworkPredictor predictor = PredictorOf({std::make_shared<FixedNetwork>(fine), std::make_shared<FixedNetwork>(bad)});
  EXPECT_THAT(predictor.Predict(torch::zeros({1, 3, 16, 16}), {16, 16}, {}, nullptr),
              HasStatus(StatusCode::kInternal, HasSubstr("NON_FINITE_OUTPUT: member 1")));
}

TEST(NetworkPredictorTest, AnswersWithTheMembersThatRanOnceTheseAreEnough) {
  std::vector<std::shared_ptr<Network>> members;
  torch::manual_seed(6);
  for (int m = 0; m < 4; ++m) members.push_back(std::make_shared<FixedNetwork>(torch::randn({1, 3, 4, 4})));
  NetworkPredictor four = PredictorOf(members);
  NetworkPredictor two = PredictorOf({members[0], members[1]});
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveStddev, true}};
  const std::vector<PictureRequest> requests = {{{16, 16}, {kinds}}};
  // "Enough" from the start: two are the fewest that have a deviation.
  const auto early = four.PredictBatch(torch::zeros({1, 3, 16, 16}), requests, {nullptr, [] { return true; }});
  const auto want = two.PredictBatch(torch::zeros({1, 3, 16, 16}), requests, {});
  ASSERT_THAT(early, IsOk());
  ASSERT_THAT(want, IsOk());
  EXPECT_EQ((*early)[0].members, 2);
  EXPECT_EQ((*early)[0].labels, (*want)[0].labels);
  EXPECT_EQ((*early)[0].kinds[0].map, (*want)[0].kinds[0].map);
  const auto all = four.PredictBatch(torch::zeros({1, 3, 16, 16}), requests, {nullptr, [] { return false; }});
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ((*all)[0].members, 4);
}

// Computes its members two at a time.
class Pairs : public NetworkMembers {
 public:
  using NetworkMembers::NetworkMembers;
  int ComputedAfter(int index) const override { return index / 2 * 2 + 2; }
};

TEST(NetworkPredictorTest, AsksWhetherMembersAreEnoughOnlyWhereTheNextHasToBeComputed) {
  std::vector<std::shared_ptr<Network>> members;
  for (int m = 0; m < 6; ++m) members.push_back(std::make_shared<FixedNetwork>(torch::randn({1, 3, 4, 4})));
  NetworkPredictor predictor(std::make_unique<Pairs>(members), {}, {}, std::make_unique<CpuReducer>());
  int asked = 0;
  const std::vector<PictureRequest> requests = {{{16, 16}, {}}};
  // The first time it has nothing to tell by.
  const MemberChecks checks = {nullptr, [&asked] { return ++asked == 3; }};
  const auto answer = predictor.PredictBatch(torch::zeros({1, 3, 16, 16}), requests, checks);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(asked, 3);
  EXPECT_EQ((*answer)[0].members, 4);
}

}  // namespace
}  // namespace candor
