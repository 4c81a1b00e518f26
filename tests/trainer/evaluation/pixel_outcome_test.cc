// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/pixel_outcome.h"

#include <vector>

#include "gmock/gmock.h"

namespace candor {
namespace {

TEST(ComparePixelsTest, VoidIsNeitherRightNorWrong) {
  std::vector<PixelOutcome> outcomes(3);
  ComparePixels(std::vector<uint8_t>{4, 4, 255}, std::vector<uint8_t>{4, 5, 4}, absl::MakeSpan(outcomes));
  EXPECT_THAT(outcomes, testing::ElementsAre(PixelOutcome::kCorrect, PixelOutcome::kWrong, PixelOutcome::kVoid));
}

}  // namespace
}  // namespace candor
