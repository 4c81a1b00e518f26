// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/result_relations.h"

#include <cmath>

#include "gmock/gmock.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

ReportedResult ResultOf(const std::string& model, ModelKind kind, const std::string& fingerprint) {
  ReportedResult reported;
  reported.result.model = model;
  reported.result.kind = kind;
  reported.result.fingerprint = fingerprint;
  reported.result.data = "camvid:" + fingerprint;
  reported.result.split = "test";
  return reported;
}

TEST(DisplayNamesTest, DifferentBundlesKeepTheirNames) {
  EXPECT_THAT(DisplayNames({ResultOf("a", ModelKind::kSingle, "x"), ResultOf("b", ModelKind::kSingle, "x")}),
              ElementsAre("a", "b"));
}

TEST(DisplayNamesTest, DataPartsEqualNamesAndNumbersPartTheRest) {
  EXPECT_THAT(DisplayNames({ResultOf("a", ModelKind::kSingle, "x"), ResultOf("a", ModelKind::kSingle, "y")}),
              ElementsAre("a (camvid:x, test)", "a (camvid:y, test)"));
  EXPECT_THAT(DisplayNames({ResultOf("a", ModelKind::kSingle, "x"), ResultOf("a", ModelKind::kSingle, "x")}),
              ElementsAre("a (camvid:x, test) [1]", "a (camvid:x, test) [2]"));
}

TEST(DataGroupsTest, ResultsOnTheSamePicturesStandTogether) {
  EXPECT_THAT(DataGroups({ResultOf("a", ModelKind::kSingle, "x"), ResultOf("b", ModelKind::kSingle, "y"),
                          ResultOf("c", ModelKind::kSingle, "x")}),
              ElementsAre(ElementsAre(0, 2), ElementsAre(1)));
}

TEST(PairsTest, FidelityNamesTheTeacher) {
  std::vector<ReportedResult> results = {ResultOf("t1", ModelKind::kEnsemble, "x"),
                                         ResultOf("t2", ModelKind::kEnsemble, "x"),
                                         ResultOf("s", ModelKind::kStudent, "x")};
  ASSERT_THAT(Pairs(results), SizeIs(1));
  EXPECT_EQ(Pairs(results)[0].teacher, 0u);
  results[2].result.fidelity.resize(1);
  results[2].result.fidelity[0].teacher = "t2";
  results[2].result.fidelity[0].kind = UncertaintyKind::kPredictiveEntropy;
  ASSERT_THAT(Pairs(results), SizeIs(1));
  EXPECT_EQ(Pairs(results)[0].teacher, 1u);
  EXPECT_EQ(Pairs(results)[0].student, 2u);
  EXPECT_EQ(KindOfPair(results, Pairs(results)[0]), UncertaintyKind::kPredictiveEntropy);
}

TEST(PairsTest, OtherPicturesMakeNoPair) {
  EXPECT_THAT(Pairs({ResultOf("t", ModelKind::kEnsemble, "x"), ResultOf("s", ModelKind::kStudent, "y")}), IsEmpty());
}

TEST(BestKindTest, IsTheOneWithTheHighestErrorAuroc) {
  EvaluationResult result;
  EXPECT_EQ(BestKind(result), nullptr);
  result.kinds.resize(3);
  result.kinds[0].errors.auroc = 0.9;
  result.kinds[1].errors.auroc = 0.95;
  result.kinds[2].errors.auroc = std::nan("");
  EXPECT_EQ(BestKind(result), &result.kinds[1]);
}

}  // namespace
}  // namespace candor
