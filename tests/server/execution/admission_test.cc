// SPDX-License-Identifier: Apache-2.0
#include "server/execution/admission.h"

#include <chrono>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr std::chrono::milliseconds kForever = std::chrono::hours(1);

TEST(AdmissionTest, RefusesOneMoreThanThePlacesUntilSomebodyIsAnswered) {
  Admission admission(2, kForever);
  EXPECT_THAT(admission.Enter(), IsOk());
  EXPECT_THAT(admission.Enter(), IsOk());
  EXPECT_THAT(admission.Enter(),
              HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("max_pending_requests is 2")));
  admission.Answered(nullptr);
  EXPECT_THAT(admission.Enter(), IsOk());
}

TEST(AdmissionTest, AnswersThatNobodyReadsAreBoundedToo) {
  Admission admission(1, kForever);
  Admission::Answer last = 0;
  for (int i = 0; i < 1 + Admission::kUnreadAnswers; ++i) {
    ASSERT_THAT(admission.Enter(), IsOk());
    last = admission.Answered([] { ADD_FAILURE() << "nobody has waited for long"; });
  }
  EXPECT_THAT(admission.Enter(), HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("not read: 65 requests")));
  admission.Leave(last);
  EXPECT_THAT(admission.Enter(), IsOk());
}

TEST(AdmissionTest, CallsWhoseAnswersAreNotReadEndOnceForThoseWhoAreRefused) {
  Admission admission(1, std::chrono::milliseconds(0));
  constexpr int kAll = 1 + Admission::kUnreadAnswers;
  std::vector<Admission::Answer> answers;
  std::vector<int> ended(kAll, 0);
  for (int i = 0; i < kAll; ++i) {
    ASSERT_THAT(admission.Enter(), IsOk());
    answers.push_back(admission.Answered([&admission, &answers, &ended, i] {
      ++ended[static_cast<size_t>(i)];
      if (i % 2 == 0) admission.Leave(answers[static_cast<size_t>(i)]);  // as where gRPC is quick
    }));
  }
  EXPECT_THAT(ended, testing::Each(0)) << "there was room";
  EXPECT_THAT(admission.Enter(), HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("not read")));
  EXPECT_THAT(ended, testing::Each(1));
  for (size_t i = 1; i < answers.size(); i += 2) admission.Leave(answers[i]);
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::ZeroDuration()));
  EXPECT_THAT(admission.Enter(), IsOk());
}

TEST(AdmissionTest, AnAnsweredRequestIsUnderWayUntilItLeaves) {
  Admission admission(1, kForever);
  ASSERT_THAT(admission.Enter(), IsOk());
  const Admission::Answer answer = admission.Answered(nullptr);
  admission.WaitUntilAnswered();
  EXPECT_FALSE(admission.WaitUntilEmpty(absl::Milliseconds(1)));
  admission.Leave(answer);
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::ZeroDuration()));
}

TEST(AdmissionTest, RefusesEverybodyOnceClosed) {
  Admission admission(2, kForever);
  EXPECT_THAT(admission.CheckOpen(), IsOk());
  admission.Close();
  EXPECT_THAT(admission.Enter(), HasStatus(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
  EXPECT_THAT(admission.CheckOpen(), HasStatus(absl::StatusCode::kUnavailable, HasSubstr("shutting down")));
}

TEST(AdmissionTest, WaitingForEmptinessTimesOutWhileSomebodyIsIn) {
  Admission admission(1, kForever);
  ASSERT_THAT(admission.Enter(), IsOk());
  EXPECT_FALSE(admission.WaitUntilEmpty(absl::Milliseconds(1)));
}

TEST(AdmissionTest, WaitingForEmptinessEndsWithTheLastLeave) {
  Admission admission(2, kForever);
  ASSERT_THAT(admission.Enter(), IsOk());
  ASSERT_THAT(admission.Enter(), IsOk());
  std::thread leaver([&admission] {
    admission.Leave(admission.Answered(nullptr));
    admission.Leave(admission.Answered(nullptr));
  });
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::InfiniteDuration()));
  leaver.join();
}

TEST(AdmissionTest, IsAbandonedOnlyWhenToldSo) {
  Admission admission(1, kForever);
  EXPECT_FALSE(admission.abandoned());
  admission.Abandon();
  EXPECT_TRUE(admission.abandoned());
}

}  // namespace
}  // namespace candor
