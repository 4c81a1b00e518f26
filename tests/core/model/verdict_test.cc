// SPDX-License-Identifier: Apache-2.0
#include "core/model/verdict.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(JudgePictureTest, BothBoundsBelongToTheBetterVerdict) {
  const Calibration::Verdict thresholds = {UncertaintyKind::kMargin, 0.25f, 0.5f, 0.05f, 0.1f};
  EXPECT_EQ(JudgePicture(thresholds, 0), PictureVerdict::kAccept);
  EXPECT_EQ(JudgePicture(thresholds, 0.25f), PictureVerdict::kAccept);
  EXPECT_EQ(JudgePicture(thresholds, std::nextafter(0.25f, 1.0f)), PictureVerdict::kReview);
  EXPECT_EQ(JudgePicture(thresholds, 0.5f), PictureVerdict::kReview);
  EXPECT_EQ(JudgePicture(thresholds, std::nextafter(0.5f, 1.0f)), PictureVerdict::kReject);
  EXPECT_EQ(JudgePicture(thresholds, NAN), PictureVerdict::kReject);
}

TEST(JudgePictureTest, EqualBoundsLeaveNothingToReview) {
  const Calibration::Verdict thresholds = {UncertaintyKind::kMargin, 0.25f, 0.25f, 0.05f, 0.1f};
  EXPECT_EQ(JudgePicture(thresholds, 0.25f), PictureVerdict::kAccept);
  EXPECT_EQ(JudgePicture(thresholds, 0.26f), PictureVerdict::kReject);
}

TEST(PictureVerdictTest, HasNamesInLowerCase) {
  EXPECT_EQ(PictureVerdictName(PictureVerdict::kAccept), "accept");
  EXPECT_EQ(PictureVerdictName(PictureVerdict::kReview), "review");
  EXPECT_EQ(PictureVerdictName(PictureVerdict::kReject), "reject");
}

}  // namespace
}  // namespace candor
