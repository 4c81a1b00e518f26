// SPDX-License-Identifier: Apache-2.0
//
// Streams of frames, over a real connection.
#include "server/stream/stream_call.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/server/live_server.h"

namespace candor {
namespace {

using testing::HasSubstr;

// A stream with one reader, which blocks.
class Stream {
 public:
  explicit Stream(LiveServer* live) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = live->stub().SegmentStream(&context_);
  }
  ~Stream() { context_.TryCancel(); }

  void Options(v1::FramePolicy policy, int max_unanswered = 0, int frame_timeout_ms = 0) {
    v1::StreamRequest request;
    request.mutable_options()->set_policy(policy);
    if (max_unanswered != 0) request.mutable_options()->set_max_unanswered(max_unanswered);
    if (frame_timeout_ms != 0) request.mutable_options()->set_frame_timeout_ms(frame_timeout_ms);
    EXPECT_TRUE(stream_->Write(request));
  }
  void Send(const std::string& camera, uint64_t sequence, v1::SegmentRequest frame = RawRequest()) {
    v1::StreamRequest request;
    *request.mutable_frame() = std::move(frame);
    request.mutable_frame()->mutable_frame()->set_camera(camera);
    request.mutable_frame()->mutable_frame()->set_sequence(sequence);
    EXPECT_TRUE(stream_->Write(request));
  }
  v1::StreamResponse Next() {
    v1::StreamResponse response;
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }
  void Done() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  // After everything has been read.
  grpc::Status End() {
    v1::StreamResponse response;
    while (stream_->Read(&response)) {
    }
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamRequest, v1::StreamResponse>> stream_;
};

TEST(StreamCallTest, AnswersEachCamerasFramesInOrderAndThenGivesStatistics) {
  LiveServer live;
  Stream stream(&live);
  stream.Options(v1::EVERY_FRAME, 8);
  for (uint64_t i = 0; i < 20; ++i) stream.Send(i % 2 == 0 ? "left" : "right", 100 + i);
  stream.Done();
  uint64_t next[] = {100, 101};
  for (int i = 0; i < 20; ++i) {
    const v1::StreamResponse answer = stream.Next();
    ASSERT_TRUE(answer.has_result());
    EXPECT_EQ(answer.result().width(), 4);
    EXPECT_FALSE(answer.result().request_id().empty());
    uint64_t& expected = next[answer.frame().camera() == "left" ? 0 : 1];
    EXPECT_EQ(answer.frame().sequence(), expected);
    EXPECT_EQ(answer.index(), expected - 100);
    expected += 2;
  }
  const v1::StreamResponse last = stream.Next();
  ASSERT_TRUE(last.has_statistics());
  EXPECT_EQ(last.statistics().frames(), 20u);
  EXPECT_EQ(last.statistics().answered(), 20u);
  EXPECT_GT(last.statistics().mean_latency_ms(), 0);
  EXPECT_GE(last.statistics().max_latency_ms(), last.statistics().mean_latency_ms());
  EXPECT_TRUE(stream.End().ok());
  EXPECT_THAT(live.Scrape(), HasSubstr("candor_stream_frames_total{camera=\"left\",outcome=\"answered\"} 10"));
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
}

TEST(StreamCallTest, OnlyTheNewestFrameOfACameraWaits) {
  LiveServer live;
  live.street().Block();
  Stream stream(&live);
  stream.Options(v1::LATEST_FRAME);
  stream.Send("left", 0);
  live.street().WaitForCalls(1);
  for (uint64_t i = 1; i <= 3; ++i) stream.Send("left", i);
  stream.Send("right", 4);
  stream.Done();
  // The other camera is not held up, though it waits for the model; when it has come, so have those before it.
  ASSERT_TRUE(live.ScrapeUntil("candor_requests_in_flight 2"));
  live.street().Release();
  std::vector<v1::StreamResponse> left;
  for (int i = 0; i < 5; ++i) {
    v1::StreamResponse answer = stream.Next();
    if (answer.frame().camera() == "left") left.push_back(std::move(answer));
  }
  ASSERT_EQ(left.size(), 4u);
  EXPECT_TRUE(left[0].has_result());
  EXPECT_EQ(left[1].superseded().by_index(), 2u);
  EXPECT_EQ(left[2].superseded().by_index(), 3u);
  EXPECT_TRUE(left[3].has_result());
  EXPECT_EQ(left[3].frame().sequence(), 3u);
  const v1::StreamResponse last = stream.Next();
  EXPECT_EQ(last.statistics().superseded(), 2u);
  EXPECT_EQ(last.statistics().answered(), 3u);
  EXPECT_EQ(live.street().calls().size(), 3u) << "superseded frames never reach the model";
  EXPECT_THAT(live.Scrape(), HasSubstr("candor_stream_frames_total{camera=\"left\",outcome=\"superseded\"} 2"));
}

v1::SegmentRequest Escalating(float above) {
  v1::SegmentRequest request = RawRequest();
  request.set_labels(v1::LABEL_RAW);
  request.mutable_escalation()->set_above(above);
  return request;
}

TEST(StreamCallTest, AnUnsureStudentsAnswerComesAtOnceAndTheTeachersInItsPlace) {
  LiveServer live;
  live.committee().Block();
  Stream stream(&live);
  stream.Options(v1::EVERY_FRAME, 2);
  stream.Send("left", 7, Escalating(0.3F));  // their mean is 0.4: tests/server/escalation_test.cc
  stream.Send("left", 8, Escalating(0.5F));
  const v1::StreamResponse early = stream.Next();
  ASSERT_TRUE(early.has_preliminary());
  EXPECT_EQ(early.index(), 0u);
  EXPECT_EQ(early.frame().sequence(), 7u);
  EXPECT_EQ(early.preliminary().frame().sequence(), 7u);
  EXPECT_EQ(early.preliminary().model().name(), "street");
  EXPECT_EQ(early.preliminary().escalation(), v1::ESCALATION_OUTCOME_UNSPECIFIED);
  EXPECT_EQ(early.preliminary().labels(), std::string("\0\1\2\2", 4));
  EXPECT_GT(early.preliminary().timing().infer_ms(), 0);
  live.committee().Release();
  const v1::StreamResponse answer = stream.Next();
  ASSERT_TRUE(answer.has_result());
  EXPECT_EQ(answer.index(), 0u);
  EXPECT_EQ(answer.frame().sequence(), 7u);
  EXPECT_EQ(answer.result().model().name(), "committee");
  EXPECT_EQ(answer.result().escalation(), v1::ESCALATED);
  const v1::StreamResponse sure = stream.Next();
  ASSERT_TRUE(sure.has_result());
  EXPECT_EQ(sure.index(), 1u);
  EXPECT_EQ(sure.result().escalation(), v1::NOT_NEEDED);
  stream.Done();
  EXPECT_EQ(stream.Next().statistics().answered(), 2u);
  EXPECT_TRUE(stream.End().ok());
  EXPECT_THAT(live.Scrape(), HasSubstr("candor_stream_frames_total{camera=\"left\",outcome=\"answered\"} 2"));
}

TEST(StreamCallTest, APreliminaryAnswerMakesNoRoomForAnotherFrameAndTakesNone) {
  LiveServer live;
  Stream stream(&live);
  stream.Options(v1::EVERY_FRAME, 1);
  for (uint64_t i = 0; i < 4; ++i) stream.Send("left", i, Escalating(0));
  stream.Done();
  for (uint64_t i = 0; i < 4; ++i) {
    const v1::StreamResponse early = stream.Next();
    EXPECT_TRUE(early.has_preliminary());
    EXPECT_EQ(early.index(), i);
    const v1::StreamResponse answer = stream.Next();
    EXPECT_TRUE(answer.has_result());
    EXPECT_EQ(answer.index(), i);
  }
  EXPECT_EQ(stream.Next().statistics().answered(), 4u);
}

TEST(StreamCallTest, WhereTheTeacherFailsTheStudentsAnswerComesAgain) {
  LiveServer live;
  live.committee().FailWith(absl::InternalError("NON_FINITE_OUTPUT"));
  Stream stream(&live);
  stream.Send("left", 0, Escalating(0));
  const v1::StreamResponse early = stream.Next();
  ASSERT_TRUE(early.has_preliminary());
  const v1::StreamResponse answer = stream.Next();
  ASSERT_TRUE(answer.has_result());
  EXPECT_EQ(answer.result().escalation(), v1::SECOND_FAILED);
  EXPECT_EQ(answer.result().labels(), early.preliminary().labels());
}

TEST(StreamCallTest, ACallerWhoLeavesBetweenTheTwoAnswersFreesItsPlace) {
  LiveServer live;
  live.committee().Block();
  {
    Stream stream(&live);
    stream.Send("left", 0, Escalating(0));
    EXPECT_TRUE(stream.Next().has_preliminary());
    live.committee().WaitForCalls(1);
  }
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
  live.committee().Release();
}

TEST(StreamCallTest, ABadFrameFailsAloneAndALateOneToo) {
  LiveServer live;
  Stream stream(&live);
  stream.Options(v1::EVERY_FRAME, 1, 60000);
  stream.Send("left", 0, EncodedRequest("no picture"));
  stream.Send("left", 1);
  const v1::StreamResponse bad = stream.Next();
  EXPECT_EQ(bad.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(bad.error().message(), HasSubstr("image.encoded: "));
  EXPECT_EQ(bad.error().reason(), "IMAGE_REFUSED");
  EXPECT_TRUE(stream.Next().has_result());
  stream.Done();
  EXPECT_EQ(stream.Next().statistics().failed(), 1u);
  EXPECT_TRUE(stream.End().ok());

  live.street().Block();
  Stream hurried(&live);
  hurried.Options(v1::EVERY_FRAME, 4, 20);
  hurried.Send("left", 0);
  EXPECT_EQ(hurried.Next().error().code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  hurried.Done();
  EXPECT_EQ(hurried.Next().statistics().late(), 1u);
  EXPECT_TRUE(hurried.End().ok());
}

TEST(StreamCallTest, RefusesBadOptionsAndEmptyMessages) {
  LiveServer live;
  const auto expect_end = [&live](const std::function<void(Stream*)>& send, const std::string& message) {
    Stream stream(&live);
    send(&stream);
    const grpc::Status end = stream.End();
    EXPECT_EQ(end.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(end.error_message(), HasSubstr(message));
  };
  expect_end([](Stream* stream) { stream->Options(static_cast<v1::FramePolicy>(7)); }, "options.policy: ");
  expect_end([](Stream* stream) { stream->Options(v1::EVERY_FRAME, 1025); },
             "options.max_unanswered: must be in [1, 1024], got 1025");
  expect_end([](Stream* stream) { stream->Options(v1::EVERY_FRAME, 1, -1); }, "options.frame_timeout_ms: ");
  expect_end(
      [](Stream* stream) {
        stream->Options(v1::EVERY_FRAME);
        stream->Options(v1::EVERY_FRAME);
      },
      "options: must be the first message");
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
}

TEST(StreamCallTest, NoMoreFramesAreReadThanMayBeUnanswered) {
  LiveServer live;
  live.street().Block();
  Stream stream(&live);
  stream.Options(v1::EVERY_FRAME, 2);
  for (uint64_t i = 0; i < 6; ++i) stream.Send("left", i);
  stream.Done();
  ASSERT_TRUE(live.ScrapeUntil("candor_requests_in_flight 2"));
  live.street().Release();
  for (uint64_t i = 0; i < 6; ++i) EXPECT_EQ(stream.Next().frame().sequence(), i);
  EXPECT_EQ(stream.Next().statistics().answered(), 6u);
}

TEST(StreamCallTest, ACancelledStreamFreesItsPlaces) {
  LiveServer live;
  live.street().Block();
  {
    Stream stream(&live);
    stream.Options(v1::LATEST_FRAME);
    stream.Send("left", 0);
    live.street().WaitForCalls(1);
    stream.Send("left", 1);
    stream.Cancel();
  }
  EXPECT_TRUE(live.ScrapeUntil("candor_requests_in_flight 0"));
  live.street().Release();
  EXPECT_TRUE(live.Segment(RawRequest()).ok());
  EXPECT_EQ(live.street().calls().size(), 2u);
}

TEST(StreamCallTest, OneStreamMoreThanTheLimitIsRefused) {
  LiveServer live([](v1::ServerConfig* config) { config->set_max_streams(1); });
  {
    Stream first(&live);
    first.Send("left", 0);
    EXPECT_TRUE(first.Next().has_result());
    Stream second(&live);
    const grpc::Status refused = second.End();
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(refused.error_message(), HasSubstr("max_streams is 1"));
    first.Done();
    EXPECT_TRUE(first.End().ok());
  }
  Stream third(&live);
  third.Send("left", 0);
  EXPECT_TRUE(third.Next().has_result());
}

TEST(StreamCallTest, AtShutdownWhatHasComeIsAnsweredAndTheStreamEnds) {
  LiveServer live;
  live.street().Block();
  Stream stream(&live);
  stream.Options(v1::EVERY_FRAME, 4);
  stream.Send("left", 0);
  live.street().WaitForCalls(1);
  std::thread drain([&live] { live.server().Drain(); });
  grpc::Status open;
  while (open.error_code() != grpc::StatusCode::UNAVAILABLE) {
    grpc::ClientContext context;
    v1::ListModelsResponse models;
    open = live.stub().ListModels(&context, {}, &models);
  }
  stream.Send("left", 1);
  live.street().Release();
  EXPECT_TRUE(stream.Next().has_result());
  EXPECT_EQ(stream.Next().error().reason(), "SHUTTING_DOWN");
  EXPECT_EQ(stream.Next().statistics().answered(), 1u);
  EXPECT_EQ(stream.End().error_code(), grpc::StatusCode::UNAVAILABLE);
  drain.join();
}

}  // namespace
}  // namespace candor
