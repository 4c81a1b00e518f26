// SPDX-License-Identifier: Apache-2.0
//
// A live server computes and sends what was asked for, and nothing else.
#include <string>
#include <vector>

#include "core/image/decode.h"
#include "core/image/run_lengths.h"
#include "gmock/gmock.h"
#include "tests/server/live_server.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;

// The picture's labels are 0, 1, 2, 2; its uncertainty is 0, 0.2, 0.4, 1.
class RequestedOutputTest : public testing::Test {
 protected:
  v1::SegmentResponse Answer(const v1::SegmentRequest& request) {
    v1::SegmentResponse response;
    const grpc::Status status = live_.Segment(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  LiveServer live_;
};

TEST_F(RequestedOutputTest, StatisticsAloneComputeNoMapAndSendNone) {
  const v1::SegmentResponse response = Answer(RawRequest());
  const std::vector<FakeSegmenter::Call> calls = live_.street().calls();
  ASSERT_EQ(calls.size(), 1u);
  for (const KindRequest& kind : calls[0].kinds) EXPECT_FALSE(kind.want_map);
  EXPECT_EQ(response.labels(), "");
  EXPECT_EQ(response.maps_size(), 0);
  EXPECT_FALSE(response.has_overlay());
  EXPECT_FALSE(response.has_abstained_share());
  EXPECT_FALSE(response.has_frame());
  EXPECT_EQ(response.groups_size(), 0);
  EXPECT_LT(response.ByteSizeLong(), 1000u);
}

TEST_F(RequestedOutputTest, SeveralKindsInOneReply) {
  v1::SegmentRequest request = RawRequest();
  request.set_labels(v1::LABEL_RLE);
  request.add_uncertainty()->set_encoding(v1::MAP_U8);
  request.mutable_overlay()->set_encoding(v1::OVERLAY_PNG);
  request.mutable_abstain()->set_threshold(0.4F);
  request.mutable_frame()->set_camera("front left");
  request.mutable_frame()->set_sequence(7);
  const v1::SegmentResponse response = Answer(request);
  const auto labels = DecodeRuns(response.labels(), 4);
  ASSERT_THAT(labels, IsOk());
  EXPECT_THAT(*labels, ElementsAre(0, 1, 2, 255));  // 0.4 is not above itself
  EXPECT_FLOAT_EQ(response.abstained_share(), 0.25F);
  EXPECT_EQ(response.maps(0).data(), std::string("\x00\x33\x66\xFF", 4));
  EXPECT_FLOAT_EQ(response.classes(0).share(), 0.5F);  // class 2, as the model says
  const auto overlay = DecodeImage(response.overlay().data(), {});
  ASSERT_THAT(overlay, IsOk());
  EXPECT_EQ(overlay->width, 4);
  EXPECT_EQ(response.frame().camera(), "front left");
  EXPECT_EQ(response.frame().sequence(), 7u);
}

TEST_F(RequestedOutputTest, AZeroShareIsStillAnAnswer) {
  v1::SegmentRequest request = RawRequest();
  request.mutable_abstain()->set_threshold(1);
  const v1::SegmentResponse response = Answer(request);
  EXPECT_TRUE(response.has_abstained_share());
  EXPECT_EQ(response.abstained_share(), 0);
  EXPECT_EQ(response.labels(), "");
}

TEST_F(RequestedOutputTest, ARegionIsAllThatComesBackOfAPictureSeenWhole) {
  v1::SegmentRequest request = RawRequest();
  request.set_labels(v1::LABEL_RAW);
  request.add_uncertainty()->set_encoding(v1::MAP_U8);
  request.mutable_overlay()->set_encoding(v1::OVERLAY_PNG);
  request.mutable_region()->set_x(1);
  request.mutable_region()->set_width(2);
  request.mutable_region()->set_height(1);
  const v1::SegmentResponse response = Answer(request);
  EXPECT_EQ(live_.street().calls()[0].width, 4);
  EXPECT_EQ(response.width(), 2);
  EXPECT_EQ(response.height(), 1);
  EXPECT_EQ(response.labels(), "\1\2");
  EXPECT_EQ(response.maps(0).data(), "\x33\x66");
  EXPECT_FLOAT_EQ(response.statistics(0).mean(), 0.3F);  // (0.2 + 0.4) / 2
  EXPECT_EQ(response.classes_size(), 2);
  const auto overlay = DecodeImage(response.overlay().data(), {});
  ASSERT_THAT(overlay, IsOk());
  EXPECT_EQ(overlay->width, 2);
}

TEST_F(RequestedOutputTest, ARegionOutsideThePictureNeverReachesTheModel) {
  v1::SegmentRequest request = RawRequest();
  request.mutable_region()->set_x(3);
  request.mutable_region()->set_width(2);
  request.mutable_region()->set_height(1);
  const grpc::Status status = live_.Segment(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "region: must be inside the picture of 4x1 and not empty, got 2x1 at 3,0");
  EXPECT_TRUE(live_.street().calls().empty());
}

TEST(RequestedOutputGroupsTest, GroupsOfTheBundleComeWithEveryAnswerAndTheModel) {
  ModelInfo info = FakeModelInfo("street", ModelKind::kStudent);
  info.spec.groups = {{"even", {0, 2}}};
  LiveServer live(info);
  v1::SegmentResponse response;
  ASSERT_TRUE(live.Segment(RawRequest(), &response).ok());
  ASSERT_EQ(response.groups_size(), 1);
  EXPECT_EQ(response.groups(0).name(), "even");
  EXPECT_FLOAT_EQ(response.groups(0).share(), 0.75F);
  EXPECT_FLOAT_EQ(response.groups(0).mean_uncertainty(), 1.4F / 3);  // (0 + 0.4 + 1) / 3
  grpc::ClientContext context;
  v1::GetModelResponse model;
  ASSERT_TRUE(live.stub().GetModel(&context, {}, &model).ok());
  ASSERT_EQ(model.model().groups_size(), 1);
  EXPECT_THAT(model.model().groups(0).class_indices(), ElementsAre(0, 2));
}

}  // namespace
}  // namespace candor
