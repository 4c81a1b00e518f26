// SPDX-License-Identifier: Apache-2.0
//
// Streams of frames, over real connections.
#include "client/segmentation_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/error_details.h"
#include "tests/client/fake_service.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;

using ServerStream = grpc::ServerReaderWriter<v1::StreamResponse, v1::StreamRequest>;

constexpr char kPixels[] = "abcdef";

RawImage SmallImage() { return {PixelFormat::kGrey8, 3, 2, 0, kPixels}; }

SegmentOptions FrameOf(const std::string& camera, uint64_t sequence) {
  SegmentOptions options;
  options.frame = FrameOrigin{camera, sequence, 7, "map"};
  return options;
}

std::unique_ptr<SegmentationStream> Open(const std::string& server, const StreamOptions& options = {}) {
  ClientOptions client_options;
  client_options.server = server;
  client_options.timeout = absl::Seconds(25);
  return *(*SegmentationClient::Create(client_options))->OpenStream(options);  // the stream outlives the client
}

// The next frame, with its place as the answer's index and its origin as sent.
bool ReadFrame(ServerStream* stream, v1::StreamRequest* request, v1::StreamResponse* answer) {
  do {
    if (!stream->Read(request)) return false;
  } while (!request->has_frame());
  if (request->frame().has_frame()) *answer->mutable_frame() = request->frame().frame();
  return true;
}

TEST(SegmentationStreamTest, AnswersEveryFrameAndThenGivesStatistics) {
  FakeServer server;
  StreamOptions options;
  options.policy = FramePolicy::kLatestFrame;
  options.max_unanswered = 9;
  const auto stream = Open(server.address(), options);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(*stream->SendRaw(SmallImage(), FrameOf("left", 40 + i)), i);
  stream->DoneSending();
  for (uint64_t i = 0; i < 3; ++i) {
    const auto answer = stream->Next();
    ASSERT_THAT(answer, IsOk());
    ASSERT_NE(answer->result(), nullptr);
    EXPECT_EQ(answer->index, i);
    EXPECT_EQ(answer->frame->camera, "left");
    EXPECT_EQ(answer->frame->sequence, 40 + i);
    EXPECT_EQ(answer->frame->stamp_ns, 7);
    EXPECT_EQ(answer->frame->frame_id, "map");
    EXPECT_THAT(answer->result()->labels.values, ElementsAre(0, 1, 2, 1, 2, 0));
    EXPECT_EQ(answer->result()->members, 1);
    EXPECT_GT(answer->round_trip_ms, 0);
    EXPECT_EQ(answer->round_trip_ms, answer->result()->round_trip_ms);
  }
  const auto last = stream->Next();
  ASSERT_THAT(last, IsOk());
  ASSERT_NE(last->statistics(), nullptr);
  EXPECT_EQ(last->statistics()->answered, 3u);
  EXPECT_THAT(stream->Next(), HasStatus(absl::StatusCode::kOutOfRange, HasSubstr("has ended")));
  EXPECT_TRUE(stream->HasNext());
  EXPECT_THAT(stream->SendRaw(SmallImage(), {}), HasStatus(absl::StatusCode::kFailedPrecondition, _));
  EXPECT_EQ(server.last_options().policy(), v1::LATEST_FRAME);
  EXPECT_EQ(server.last_options().max_unanswered(), 9);
  EXPECT_EQ(server.last_options().frame_timeout_ms(), 25000) << "the client's timeout";
  EXPECT_EQ(server.last_request().image().raw().data(), "abcdef");
}

TEST(SegmentationStreamTest, AFrameThatFailsDoesNotEndTheStream) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, ServerStream* stream) {
    v1::StreamRequest request;
    v1::StreamResponse answer;
    ReadFrame(stream, &request, &answer);
    answer.mutable_error()->set_code(8);
    answer.mutable_error()->set_message("queue full");
    answer.mutable_error()->set_reason("QUEUE_FULL");
    answer.mutable_error()->set_retry_delay_ms(1250);
    stream->Write(answer);
    ReadFrame(stream, &request, &answer);
    answer.set_index(1);
    AnswerFaithfully(request.frame(), answer.mutable_result());
    stream->Write(answer);
    return grpc::Status::OK;
  });
  const auto stream = Open(server.address());
  EXPECT_THAT(stream->SendRaw(SmallImage(), {}), IsOk());
  const auto failed = stream->Next();
  ASSERT_THAT(failed, IsOk());
  ASSERT_NE(failed->error(), nullptr);
  EXPECT_THAT(*failed->error(), HasStatus(absl::StatusCode::kResourceExhausted, "queue full"));
  EXPECT_EQ(ErrorReason(*failed->error()), "QUEUE_FULL");
  EXPECT_EQ(RetryDelay(*failed->error()), absl::Milliseconds(1250));
  EXPECT_FALSE(failed->frame.has_value());
  EXPECT_THAT(stream->SendRaw(SmallImage(), {}), IsOk());
  EXPECT_NE(stream->Next()->result(), nullptr);
  EXPECT_THAT(stream->Next(), HasStatus(absl::StatusCode::kInternal, HasSubstr("without statistics")));
}

TEST(SegmentationStreamTest, GivesTheFirstModelsAnswerAndThenTheSeconds) {
  FakeServer server;
  const auto stream = Open(server.address());
  SegmentOptions options = FrameOf("left", 5);
  options.escalation = EscalationOption{"", 0.05F};
  EXPECT_THAT(stream->SendRaw(SmallImage(), options), IsOk());
  options.escalation->above = 0.5F;
  EXPECT_THAT(stream->SendRaw(SmallImage(), options), IsOk());
  stream->DoneSending();
  const auto early = stream->Next();
  ASSERT_THAT(early, IsOk());
  ASSERT_NE(early->preliminary(), nullptr);
  EXPECT_EQ(early->result(), nullptr);
  EXPECT_EQ(early->index, 0u);
  EXPECT_EQ(early->frame->sequence, 5u);
  EXPECT_EQ(early->preliminary()->model, "student");
  EXPECT_EQ(early->preliminary()->escalation, EscalationOutcome::kNone);
  EXPECT_THAT(early->preliminary()->labels.values, ElementsAre(0, 1, 2, 1, 2, 0));
  EXPECT_EQ(early->preliminary()->round_trip_ms, early->round_trip_ms);
  const auto answer = stream->Next();
  ASSERT_NE(answer->result(), nullptr);
  EXPECT_EQ(answer->index, 0u);
  EXPECT_EQ(answer->result()->model, "teacher");
  EXPECT_EQ(answer->result()->escalation, EscalationOutcome::kEscalated);
  EXPECT_THAT(answer->result()->labels.values, ElementsAre(0, 0, 0, 1, 2, 0));
  const auto sure = stream->Next();
  ASSERT_NE(sure->result(), nullptr);
  EXPECT_EQ(sure->result()->escalation, EscalationOutcome::kNotNeeded);
  EXPECT_EQ(stream->Next()->statistics()->answered, 2u);
}

TEST(SegmentationStreamTest, SaysWhichFramesNewerOnesReplaced) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, ServerStream* stream) {
    std::vector<v1::StreamRequest> requests(3);
    std::vector<v1::StreamResponse> answers(3);
    for (int i = 0; i < 3; ++i) {
      ReadFrame(stream, &requests[i], &answers[i]);
      answers[i].set_index(i);
    }
    AnswerFaithfully(requests[0].frame(), answers[0].mutable_result());
    answers[1].mutable_superseded()->set_by_index(2);
    AnswerFaithfully(requests[2].frame(), answers[2].mutable_result());
    for (const v1::StreamResponse& answer : answers) stream->Write(answer);
    return grpc::Status::OK;
  });
  const auto stream = Open(server.address());
  for (uint64_t i = 0; i < 3; ++i) EXPECT_THAT(stream->SendRaw(SmallImage(), FrameOf("left", i)), IsOk());
  EXPECT_NE(stream->Next()->result(), nullptr);
  const auto superseded = stream->Next();
  ASSERT_NE(superseded->superseded(), nullptr);
  EXPECT_EQ(superseded->superseded()->by_index, 2u);
  EXPECT_EQ(superseded->frame->sequence, 1u);
  EXPECT_NE(stream->Next()->result(), nullptr);
}

// A server that reads nothing: the connection's buffers fill up.
TEST(SegmentationStreamTest, SendingIsHeldUpByFlowControlAloneAndNotBeyondItsPatience) {
  FakeServer server;
  absl::Notification go_on;
  server.SetStream([&](grpc::ServerContext*, ServerStream* stream) {
    go_on.WaitForNotification();
    v1::StreamRequest request;
    v1::StreamResponse answer;
    uint64_t frames = 0;
    while (ReadFrame(stream, &request, &answer)) ++frames;
    v1::StreamResponse last;
    last.set_index(frames);
    last.mutable_statistics()->set_frames(frames);
    last.mutable_statistics()->set_failed(frames);
    stream->Write(last);
    return grpc::Status::OK;
  });
  const auto stream = Open(server.address());
  const std::string large(8 << 20, 'x');
  uint64_t sent = 0;
  absl::Status status;
  while (status.ok() && sent < 100) {
    const auto index = stream->SendEncoded(large, {}, absl::Milliseconds(200));
    status = index.status();
    if (!index.ok()) break;
    EXPECT_EQ(*index, sent++);
  }
  EXPECT_THAT(status, HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("on its way")));
  EXPECT_THAT(stream->SendEncoded(large, {}, absl::ZeroDuration()), HasStatus(absl::StatusCode::kResourceExhausted, _));
  EXPECT_GE(sent, 1u);
  EXPECT_LT(sent, 20u);
  EXPECT_FALSE(stream->HasNext());
  go_on.Notify();
  EXPECT_EQ(*stream->SendEncoded(large, {}), sent) << "a frame that was refused has no place";
  stream->DoneSending();
  const auto last = stream->Next();
  ASSERT_THAT(last, IsOk());
  EXPECT_EQ(last->statistics()->frames, sent + 1);
}

TEST(SegmentationStreamTest, EndsWhenCancelledAndWithoutTheServer) {
  FakeServer server;
  absl::Notification begun;
  server.SetStream([&](grpc::ServerContext* context, ServerStream* stream) {
    v1::StreamRequest request;
    stream->Read(&request);
    begun.Notify();
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  });
  const auto stream = Open(server.address());
  begun.WaitForNotification();
  std::thread canceller([&] { stream->Cancel(); });
  EXPECT_THAT(stream->Next(), HasStatus(absl::StatusCode::kCancelled, _));
  canceller.join();
  EXPECT_THAT(stream->Next(), HasStatus(absl::StatusCode::kCancelled, _));
  EXPECT_THAT(stream->SendRaw(SmallImage(), {}), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("ended")));

  DeadAddress nobody;
  const auto unheard = Open(nobody.address());
  EXPECT_THAT(unheard->Next(), HasStatus(absl::StatusCode::kUnavailable, _));
  EXPECT_THAT(unheard->SendRaw(SmallImage(), {}), HasStatus(absl::StatusCode::kFailedPrecondition, _));
}

TEST(SegmentationStreamTest, MayBeDroppedWithAnswersUnreadOrUnsent) {
  FakeServer server;
  {
    const auto stream = Open(server.address());
    for (uint64_t i = 0; i < 3; ++i) EXPECT_THAT(stream->SendRaw(SmallImage(), FrameOf("left", i)), IsOk());
    EXPECT_THAT(stream->Next(), IsOk());
  }
  { const auto stream = Open(server.address()); }
  absl::Notification held;
  server.SetStream([&](grpc::ServerContext*, ServerStream*) {
    held.WaitForNotification();
    return grpc::Status::OK;
  });
  {
    const auto stream = Open(server.address());
    EXPECT_THAT(stream->SendRaw(SmallImage(), {}), IsOk());
  }
  held.Notify();
}

TEST(SegmentationStreamTest, AWrongAnswerBreaksTheStreamOff) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, ServerStream* stream) {
    v1::StreamRequest request;
    v1::StreamResponse answer;
    ReadFrame(stream, &request, &answer);
    AnswerFaithfully(request.frame(), answer.mutable_result());
    answer.mutable_result()->mutable_labels()->pop_back();
    stream->Write(answer);
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  });
  const auto stream = Open(server.address());
  EXPECT_THAT(stream->SendRaw(SmallImage(), FrameOf("left", 0)), IsOk());
  EXPECT_THAT(stream->Next(), HasStatus(absl::StatusCode::kInternal, HasSubstr("labels: 3x2 need 6 bytes, got 5")));
  EXPECT_THAT(stream->Next(), HasStatus(absl::StatusCode::kInternal, HasSubstr("labels: ")));
}

TEST(SegmentationStreamTest, MayBeUsedFromManyThreads) {
  FakeServer server;
  const auto stream = Open(server.address());
  constexpr int kThreads = 4;
  constexpr int kFrames = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kFrames; ++i) {
        EXPECT_THAT(stream->SendRaw(SmallImage(), FrameOf(absl::StrCat("camera", t), i)), IsOk());
      }
    });
  }
  std::atomic<int> results = 0;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (results < kThreads * kFrames) {
        const auto answer = stream->Next();
        if (!answer.ok()) return;  // the other thread took the last one
        if (answer->result() != nullptr && ++results == kThreads * kFrames) stream->DoneSending();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(results, kThreads * kFrames);
}

TEST(SegmentationStreamTest, RefusesOptionsThatAreNoneOfAFrameOrOutOfRange) {
  FakeServer server;
  const auto stream = Open(server.address());
  SegmentOptions options;
  options.request_id = "mine";
  EXPECT_THAT(stream->SendRaw(SmallImage(), options),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("must be set for the stream")));
  EXPECT_THAT(stream->SendRaw(SmallImage(), FrameOf("left\n", 0)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("frame.camera: must be at most 64")));
  const auto client = *SegmentationClient::Create({server.address()});
  StreamOptions wrong;
  wrong.max_unanswered = 0;
  EXPECT_THAT(client->OpenStream(wrong), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("max_unanswered")));
  wrong = {};
  wrong.frame_timeout = absl::Hours(2);
  EXPECT_THAT(client->OpenStream(wrong), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("got 2h")));
  wrong = {};
  wrong.request_id = "a b";
  EXPECT_THAT(client->OpenStream(wrong), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("request_id")));
}

TEST(SegmentationStreamTest, HasADeadlineIfGivenOne) {
  FakeServer server;
  server.SetStream([](grpc::ServerContext*, ServerStream* stream) {
    v1::StreamRequest request;
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  });
  StreamOptions options;
  options.timeout = absl::Milliseconds(50);
  EXPECT_THAT(Open(server.address(), options)->Next(), HasStatus(absl::StatusCode::kDeadlineExceeded, _));
}

}  // namespace
}  // namespace candor
