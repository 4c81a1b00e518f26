// SPDX-License-Identifier: Apache-2.0
//
// The client's streams on the real server, with models of known answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/error_details.h"
#include "client/segmentation_stream.h"
#include "tests/server/live_server.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StreamTest : public testing::Test {
 protected:
  std::unique_ptr<SegmentationStream> Open(const StreamOptions& options) {
    ClientOptions client;
    client.server = live_.server().grpc_address();
    return *(*SegmentationClient::Create(client))->OpenStream(options);
  }
  static SegmentOptions FrameOf(const std::string& camera, uint64_t sequence) {
    SegmentOptions options;
    options.frame = FrameOrigin{camera, sequence, 0, ""};
    return options;
  }
  void Send(SegmentationStream* stream, const std::string& camera, uint64_t sequence) {
    const RawImage image{
        PixelFormat::kRgb8, picture_.width, picture_.height, 0,
        absl::string_view(reinterpret_cast<const char*>(picture_.pixels.data()), picture_.pixels.size())};
    EXPECT_THAT(stream->SendRaw(image, FrameOf(camera, sequence)), IsOk());
  }

  const Image picture_ = FourPixels();
  LiveServer live_;
};

TEST_F(StreamTest, EveryFrameIsAnsweredInTheOrderOfItsCamera) {
  const auto stream = Open({});
  constexpr uint64_t kFrames = 40;
  for (uint64_t i = 0; i < kFrames / 2; ++i) {
    Send(stream.get(), "left", i);
    Send(stream.get(), "right", i);
    // Two at a time: the server's bound of four leaves room.
    for (int k = 0; k < 2; ++k) {
      const auto answer = stream->Next();
      ASSERT_THAT(answer, IsOk());
      ASSERT_NE(answer->result(), nullptr);
      EXPECT_THAT(answer->result()->labels.values, ElementsAre(0, 1, 2, 2));
      EXPECT_GE(answer->result()->members, 1);
    }
  }
  stream->DoneSending();
  const auto last = stream->Next();
  ASSERT_THAT(last, IsOk());
  ASSERT_NE(last->statistics(), nullptr);
  EXPECT_EQ(last->statistics()->answered, kFrames);
  EXPECT_THAT(stream->Next(), HasStatus(absl::StatusCode::kOutOfRange, testing::_));
}

TEST_F(StreamTest, TheLatestFrameWins) {
  live_.street().Block();
  StreamOptions options;
  options.policy = FramePolicy::kLatestFrame;
  const auto stream = Open(options);
  Send(stream.get(), "left", 0);
  live_.street().WaitForCalls(1);
  for (uint64_t i = 1; i <= 3; ++i) Send(stream.get(), "left", i);
  Send(stream.get(), "right", 0);
  stream->DoneSending();
  // Frames are read in order: once the other camera's is under way, those before it have come.
  ASSERT_TRUE(live_.ScrapeUntil("candor_requests_in_flight 2"));
  live_.street().Release();
  std::vector<StreamAnswer> left;
  for (int i = 0; i < 5; ++i) {
    auto answer = stream->Next();
    ASSERT_THAT(answer, IsOk());
    if (answer->frame->camera == "left") left.push_back(*std::move(answer));
  }
  ASSERT_EQ(left.size(), 4u);
  EXPECT_NE(left[0].result(), nullptr);
  for (const uint64_t i : {1, 2}) {
    EXPECT_EQ(left[i].index, i);
    ASSERT_NE(left[i].superseded(), nullptr);
    EXPECT_EQ(left[i].superseded()->by_index, i + 1);
  }
  EXPECT_NE(left[3].result(), nullptr);
  EXPECT_EQ(stream->Next()->statistics()->superseded, 2u);
}

TEST_F(StreamTest, AFrameThatIsRefusedOrLateSaysWhy) {
  const auto stream = Open({});
  EXPECT_THAT(stream->SendEncoded("no picture", FrameOf("left", 0)), IsOk());
  const auto refused = stream->Next();
  ASSERT_THAT(refused, IsOk());
  ASSERT_NE(refused->error(), nullptr);
  EXPECT_THAT(*refused->error(), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("image.encoded: ")));
  EXPECT_EQ(ErrorReason(*refused->error()), "IMAGE_REFUSED");
  EXPECT_EQ(refused->frame->camera, "left");
  live_.street().Block();
  StreamOptions options;
  options.frame_timeout = absl::Milliseconds(20);
  const auto hurried = Open(options);
  Send(hurried.get(), "left", 0);
  const auto late = hurried->Next();
  ASSERT_THAT(late, IsOk());
  ASSERT_NE(late->error(), nullptr);
  EXPECT_THAT(*late->error(), HasStatus(absl::StatusCode::kDeadlineExceeded, testing::_));
  live_.street().Release();
}

// More at once than the server will take unanswered: flow control, not loss.
TEST_F(StreamTest, AServerThatIsBehindHoldsUpTheSenderAlone) {
  StreamOptions options;
  options.max_unanswered = 1;
  live_.street().Block();
  const auto stream = Open(options);
  const std::string junk(1 << 20, 'x');
  EXPECT_THAT(stream->SendRaw({PixelFormat::kGrey8, 1024, 1024, 0, junk}, FrameOf("left", 0)), IsOk());
  live_.street().WaitForCalls(1);
  uint64_t sent = 1;
  while (stream->SendRaw({PixelFormat::kGrey8, 1024, 1024, 0, junk}, FrameOf("left", sent), absl::Milliseconds(100))
             .ok()) {
    ASSERT_LT(++sent, 100u);
  }
  live_.street().Release();
  stream->DoneSending();
  for (uint64_t i = 0; i < sent; ++i) EXPECT_NE(stream->Next()->result(), nullptr);
  EXPECT_EQ(stream->Next()->statistics()->answered, sent);
}

}  // namespace
}  // namespace candor
