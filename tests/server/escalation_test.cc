// SPDX-License-Identifier: Apache-2.0
//
// The student answers, and the teacher where it matters.
#include <chrono>

#include "gmock/gmock.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

// FourPixels() have a mean uncertainty of (0 + 51 + 102 + 255) / 4 / 255 = 0.4 in a kind of range 1.
v1::SegmentRequest Request(float above) {
  v1::SegmentRequest request = RawRequest();
  request.set_labels(v1::LABEL_RAW);
  request.mutable_escalation()->set_above(above);
  return request;
}

TEST(EscalationTest, APictureTheStudentIsSureOfStaysItsOwn) {
  LiveServer live;
  v1::SegmentResponse response;
  ASSERT_TRUE(live.Segment(Request(0.41F), &response).ok());
  EXPECT_EQ(response.escalation(), v1::NOT_NEEDED);
  EXPECT_EQ(response.model().name(), "street");
  EXPECT_TRUE(live.committee().calls().empty());
}

TEST(EscalationTest, AnUnsurePictureIsTheTeachers) {
  LiveServer live;
  v1::SegmentResponse response;
  ASSERT_TRUE(live.Segment(Request(0.39F), &response).ok());
  EXPECT_EQ(response.escalation(), v1::ESCALATED);
  EXPECT_EQ(response.model().name(), "committee");
  EXPECT_EQ(response.members(), 2);
  EXPECT_EQ(response.labels().size(), 4u);
  EXPECT_EQ(response.statistics_size(), 1) << "nothing of the first answer is left";
  EXPECT_EQ(live.street().calls().size(), 1u);
  EXPECT_THAT(live.Scrape(), HasSubstr("candor_escalations_total{model=\"street\",outcome=\"escalated\"} 1"));
}

TEST(EscalationTest, TheVerdictDecidesWhereThereIsOne) {
  LiveServer sure(
      WithVerdict(FakeModelInfo("street", ModelKind::kStudent), UncertaintyKind::kPredictiveStddev, 0.5F, 0.6F));
  v1::SegmentRequest request = RawRequest();
  request.mutable_escalation();
  v1::SegmentResponse response;
  ASSERT_TRUE(sure.Segment(request, &response).ok());
  EXPECT_EQ(response.escalation(), v1::NOT_NEEDED);
  LiveServer unsure(
      WithVerdict(FakeModelInfo("street", ModelKind::kStudent), UncertaintyKind::kPredictiveStddev, 0.1F, 0.6F));
  ASSERT_TRUE(unsure.Segment(request, &response).ok());
  EXPECT_EQ(response.escalation(), v1::ESCALATED);
}

TEST(EscalationTest, WithoutTimeTheStudentsAnswerIsKept) {
  LiveServer live;
  live.committee().Block();  // for ever: only the deadline ends it
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
  v1::SegmentResponse response;
  const grpc::Status status = live.stub().Segment(&context, Request(0), &response);
  // The reserve is a few milliseconds: on a machine that stalls for longer the call is late.
  if (status.ok()) {
    EXPECT_EQ(response.escalation(), v1::NO_TIME);
    EXPECT_EQ(response.model().name(), "street");
    EXPECT_EQ(response.labels().size(), 4u);
  } else {
    EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  }
  live.committee().Release();
}

TEST(EscalationTest, WithoutTheTeacherTheStudentsAnswerIsKept) {
  LiveServer live;
  live.committee().FailWith(absl::InternalError("NON_FINITE_OUTPUT"));
  v1::SegmentResponse response;
  ASSERT_TRUE(live.Segment(Request(0), &response).ok());
  EXPECT_EQ(response.escalation(), v1::SECOND_FAILED);
  EXPECT_EQ(response.model().name(), "street");
  EXPECT_EQ(response.statistics_size(), 1);
}

TEST(EscalationTest, RefusesWhatCannotBe) {
  LiveServer live;
  const auto expect = [&live](const v1::SegmentRequest& request, StatusCode code, const std::string& message) {
    const grpc::Status status = live.Segment(request);
    EXPECT_EQ(status.error_code(), code);
    EXPECT_THAT(status.error_message(), HasSubstr(message));
  };
  v1::SegmentRequest request = RawRequest();
  request.mutable_escalation();
  expect(request, StatusCode::FAILED_PRECONDITION, "escalation.above: must be set, since model \"street\"");
  expect(Request(-1), StatusCode::INVALID_ARGUMENT, "escalation.above: must be finite and >= 0, got -1");
  request = Request(0);
  request.mutable_escalation()->set_model("street");
  expect(request, StatusCode::INVALID_ARGUMENT, "escalation.model: must be another model than \"street\"");
  request.mutable_escalation()->set_model("night");
  expect(request, StatusCode::NOT_FOUND, "escalation.model: no model is called \"night\"");
  EXPECT_TRUE(live.street().calls().empty());
}

}  // namespace
}  // namespace candor
