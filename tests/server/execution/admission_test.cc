// SPDX-License-Identifier: Apache-2.0
#include "server/execution/admission.h"

#include <thread>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

TEST(AdmissionTest, RefusesOneMoreThanThePlacesUntilSomebodyIsAnswered) {
  Admission admission(2);
  EXPECT_THAT(admission.Enter(), IsOk());
  EXPECT_THAT(admission.Enter(), IsOk());
  EXPECT_THAT(admission.Enter(),
              HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("max_pending_requests is 2")));
  admission.Answered();
  EXPECT_THAT(admission.Enter(), IsOk());
}

TEST(AdmissionTest, AnswersThatNobodyReadsAreBoundedToo) {
  Admission admission(1);
  for (int i = 0; i < 1 + Admission::kUnreadAnswers; ++i) {
    ASSERT_THAT(admission.Enter(), IsOk());
    admission.Answered();
  }
  EXPECT_THAT(admission.Enter(), HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("not read: 65 requests")));
  admission.Leave();
  EXPECT_THAT(admission.Enter(), IsOk());
}

TEST(AdmissionTest, AnAnsweredRequestIsUnderWayUntilItLeaves) {
  Admission admission(1);
  ASSERT_THAT(admission.Enter(), IsOk());
  admission.Answered();
  admission.WaitUntilAnswered();
  EXPECT_FALSE(admission.WaitUntilEmpty(absl::Milliseconds(1)));
  admission.Leave();
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::ZeroDuration()));
}

TEST(AdmissionTest, RefusesEverybodyOnceClosed) {
  Admission admission(2);
  EXPECT_THAT(admission.CheckOpen(), IsOk());
  admission.Close();
  EXPECT_THAT(admission.Enter(), HasStatus(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
  EXPECT_THAT(admission.CheckOpen(), HasStatus(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
}

TEST(AdmissionTest, WaitingForEmptinessTimesOutWhileSomebodyIsIn) {
  Admission admission(1);
  ASSERT_THAT(admission.Enter(), IsOk());
  EXPECT_FALSE(admission.WaitUntilEmpty(absl::Milliseconds(1)));
}

TEST(AdmissionTest, WaitingForEmptinessEndsWithTheLastLeave) {
  Admission admission(2);
  ASSERT_THAT(admission.Enter(), IsOk());
  ASSERT_THAT(admission.Enter(), IsOk());
  std::thread leaver([&admission] {
    admission.Leave();
    admission.Leave();
  });
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::InfiniteDuration()));
  leaver.join();
}

TEST(AdmissionTest, IsAbandonedOnlyWhenToldSo) {
  Admission admission(1);
  EXPECT_FALSE(admission.abandoned());
  admission.Abandon();
  EXPECT_TRUE(admission.abandoned());
}

}  // namespace
}  // namespace candor
