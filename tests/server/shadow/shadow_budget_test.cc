// SPDX-License-Identifier: Apache-2.0
#include "server/shadow/shadow_budget.h"

#include "gtest/gtest.h"

namespace candor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ShadowBudget::Time kStart{};

TEST(ShadowBudgetTest, TakesTheShareOfAnswers) {
  ShadowBudget budget(0.25, 1, kStart);
  int taken = 0;
  for (int i = 0; i < 100; ++i) {
    if (!budget.Take(kStart + seconds(1))) continue;
    ++taken;
    budget.Spend(milliseconds(0));
  }
  EXPECT_EQ(taken, 25);
}

TEST(ShadowBudgetTest, OneCheckAtATime) {
  ShadowBudget budget(1, 1, kStart);
  EXPECT_TRUE(budget.Take(kStart));
  EXPECT_FALSE(budget.Take(kStart));
  budget.Spend(milliseconds(0));
  EXPECT_TRUE(budget.Take(kStart));
}

TEST(ShadowBudgetTest, ChecksTakeNoMoreThanTheirShareOfTheTime) {
  ShadowBudget budget(1, 0.01, kStart);
  EXPECT_TRUE(budget.Take(kStart + seconds(1)));
  budget.Spend(milliseconds(50));  // 1 % of five seconds
  EXPECT_FALSE(budget.Take(kStart + seconds(4)));
  EXPECT_TRUE(budget.Take(kStart + seconds(5)));
}

}  // namespace
}  // namespace candor
