// SPDX-License-Identifier: Apache-2.0
#include "server/segmentation_codec.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/image/decode.h"
#include "gmock/gmock.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

// Two classes of four in six pixels; margin, upper bound 1, and entropy, upper bound ln 4.
class FillSegmentResponseTest : public testing::Test {
 protected:
  FillSegmentResponseTest() {
    segmentation_.width = 3;
    segmentation_.height = 2;
    segmentation_.labels = {1, 3, 3, 3, 3, 1};
    segmentation_.classes = {{0, 0}, {2, 0.5}, {0, 0}, {4, 2.0}};
    KindResult margin;
    margin.statistics = {UncertaintyKind::kMargin, 0.5F, 1, 0.25F, 0.75F, 0.875F, 0.1F, 0.5F};
    margin.map = {0, 0.001F, 0.002F, 0.5F, 1, 2};
    KindResult entropy;
    entropy.statistics.kind = UncertaintyKind::kPredictiveEntropy;
    entropy.map = {0, std::log(2.0F), std::log(4.0F), 0, 0, 0};
    segmentation_.kinds = {margin, entropy};
    plan_.kinds = {{UncertaintyKind::kMargin, true, 0.1F}, {UncertaintyKind::kPredictiveEntropy, true, 0}};
  }

  v1::SegmentResponse Fill() {
    v1::SegmentResponse response;
    const Picture picture = Picture::Borrow(picture_);
    FillSegmentResponse(plan_, info_, &picture, &segmentation_, &response);
    return response;
  }

  ModelInfo info_ = FakeModelInfo("street", ModelKind::kStudent, 4);
  Image picture_{3, 2, std::vector<uint8_t>(18, 100)};
  Segmentation segmentation_;
  SegmentPlan plan_;
};

TEST_F(FillSegmentResponseTest, SaysModelAndSize) {
  const v1::SegmentResponse response = Fill();
  EXPECT_EQ(response.model().name(), "street");
  EXPECT_EQ(response.model().version(), 3);
  EXPECT_EQ(response.model().digest(), std::string(64, 'd'));
  EXPECT_EQ(response.width(), 3);
  EXPECT_EQ(response.height(), 2);
  EXPECT_EQ(response.label_encoding(), v1::LABEL_ENCODING_UNSPECIFIED);
  EXPECT_EQ(response.labels(), "");
  EXPECT_EQ(response.maps_size(), 0);
}

TEST_F(FillSegmentResponseTest, RawLabelsAreClassIndices) {
  plan_.labels = v1::LABEL_RAW;
  EXPECT_EQ(Fill().labels(), std::string("\1\3\3\3\3\1"));
}

TEST_F(FillSegmentResponseTest, Float32MapsAreTheValuesThemselves) {
  plan_.maps = {{0, v1::MAP_F32}};
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.maps_size(), 1);
  EXPECT_EQ(response.maps(0).kind(), v1::MARGIN);
  EXPECT_EQ(response.maps(0).scale(), 1);
  std::vector<float> values(6);
  ASSERT_EQ(response.maps(0).data().size(), 24u);
  std::memcpy(values.data(), response.maps(0).data().data(), 24);
  EXPECT_THAT(values, ElementsAre(0, 0.001F, 0.002F, 0.5F, 1, 2));
}

TEST_F(FillSegmentResponseTest, HalfMapsAreIeeeHalvesLittleEndian) {
  plan_.maps = {{0, v1::MAP_F16}};
  const std::string data = Fill().maps(0).data();
  ASSERT_EQ(data.size(), 12u);
  EXPECT_EQ(data.substr(6), std::string("\x00\x38\x00\x3C\x00\x40", 6));  // 0.5, 1 and 2: 0x3800, 0x3C00, 0x4000
}

TEST_F(FillSegmentResponseTest, HalvesThatTheModelGaveAreSentAsTheyAre) {
  plan_.maps = {{0, v1::MAP_F16}};
  segmentation_.kinds[0].map.clear();
  segmentation_.kinds[0].halves = {0x3800, 1, 2, 3, 4, 0x3C00};
  EXPECT_EQ(Fill().maps(0).data(), std::string("\x00\x38\x01\0\x02\0\x03\0\x04\0\x00\x3C", 12));
}

TEST_F(FillSegmentResponseTest, LargeFieldsGoApartWithTheirPlaceholders) {
  plan_.labels = v1::LABEL_RAW;
  plan_.maps = {{1, v1::MAP_F32}, {0, v1::MAP_F16}, {0, v1::MAP_U8}};
  Segmentation again = segmentation_;
  v1::SegmentResponse apart;
  std::vector<grpc::Slice> fields;
  const Picture picture = Picture::Borrow(picture_);
  FillSegmentResponse(plan_, info_, &picture, &again, &apart, &fields);
  v1::SegmentResponse whole = Fill();
  const auto put_back = [&fields](std::string* field) {
    uint32_t index = 0;
    ASSERT_EQ(field->size(), sizeof(index));
    std::memcpy(&index, field->data(), sizeof(index));
    ASSERT_LT(index, fields.size());
    field->assign(reinterpret_cast<const char*>(fields[index].begin()), fields[index].size());
  };
  put_back(apart.mutable_labels());
  for (v1::UncertaintyMap& map : *apart.mutable_maps()) put_back(map.mutable_data());
  EXPECT_EQ(apart.SerializeAsString(), whole.SerializeAsString());
}

TEST_F(FillSegmentResponseTest, ByteMapsAreScaledByTheUpperBoundRoundedAndClamped) {
  plan_.maps = {{1, v1::MAP_U8}, {0, v1::MAP_U8}};
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.maps_size(), 2);
  // Entropy: ln 2 is half of ln 4, 127.5 of 255, which rounds up; the caller multiplies by ln 4 / 255.
  EXPECT_THAT(response.maps(0).scale(), FloatEq(std::log(4.0F) / 255));
  const auto middle = static_cast<unsigned char>(response.maps(0).data()[1]);
  EXPECT_TRUE(middle == 127 || middle == 128);
  EXPECT_EQ(static_cast<unsigned char>(response.maps(0).data()[2]), 255);
  // Margin: 0.001 * 255 = 0.255 -> 0; 0.002 * 255 = 0.51 -> 1; 2 is beyond the bound.
  EXPECT_THAT(response.maps(1).scale(), FloatEq(1.0F / 255));
  EXPECT_EQ(response.maps(1).data().substr(0, 3), std::string("\0\0\1", 3));
  EXPECT_EQ(static_cast<unsigned char>(response.maps(1).data()[5]), 255);
}

TEST_F(FillSegmentResponseTest, StatisticsAreCopiedInOrder) {
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.statistics_size(), 2);
  const v1::UncertaintyStatistics& margin = response.statistics(0);
  EXPECT_EQ(margin.kind(), v1::MARGIN);
  EXPECT_EQ(margin.mean(), 0.5F);
  EXPECT_EQ(margin.max(), 1);
  EXPECT_EQ(margin.median(), 0.25F);
  EXPECT_EQ(margin.p90(), 0.75F);
  EXPECT_EQ(margin.p99(), 0.875F);
  EXPECT_EQ(margin.threshold(), 0.1F);
  EXPECT_EQ(margin.share_above_threshold(), 0.5F);
  EXPECT_EQ(response.statistics(1).kind(), v1::PREDICTIVE_ENTROPY);
}

TEST_F(FillSegmentResponseTest, ClassesThatOccurComeLargestFirst) {
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.classes_size(), 2);
  EXPECT_EQ(response.classes(0).class_index(), 3);
  EXPECT_FLOAT_EQ(response.classes(0).share(), 4.0F / 6);
  EXPECT_FLOAT_EQ(response.classes(0).mean_uncertainty(), 0.5F);
  EXPECT_EQ(response.classes(1).class_index(), 1);
  EXPECT_FLOAT_EQ(response.classes(1).share(), 2.0F / 6);
  EXPECT_FLOAT_EQ(response.classes(1).mean_uncertainty(), 0.25F);
}

TEST_F(FillSegmentResponseTest, AModelWithoutCalibrationGivesNoVerdict) {
  EXPECT_EQ(Fill().verdict(), v1::VERDICT_UNSPECIFIED);
  info_.spec.calibration = Calibration();  // a temperature alone
  EXPECT_EQ(Fill().verdict(), v1::VERDICT_UNSPECIFIED);
}

TEST_F(FillSegmentResponseTest, TheVerdictIsByTheMeanOfItsKind) {
  const ModelInfo plain = info_;
  segmentation_.kinds[1].statistics.mean = 0.25F;  // entropy; margin's mean is 0.5
  info_ = WithVerdict(plain, UncertaintyKind::kPredictiveEntropy, 0.25F, 0.5F);
  EXPECT_EQ(Fill().verdict(), v1::ACCEPT);
  info_ = WithVerdict(plain, UncertaintyKind::kMargin, 0.25F, 0.5F);
  EXPECT_EQ(Fill().verdict(), v1::REVIEW);
  info_ = WithVerdict(plain, UncertaintyKind::kMargin, 0.25F, 0.49F);
  EXPECT_EQ(Fill().verdict(), v1::REJECT);
}

TEST_F(FillSegmentResponseTest, RunLengthsGoOnAcrossRows) {
  plan_.labels = v1::LABEL_RLE;
  const v1::SegmentResponse response = Fill();
  EXPECT_EQ(response.label_encoding(), v1::LABEL_RLE);
  EXPECT_EQ(response.labels(), std::string("\1\1\4\3\1\1"));  // one 1, four 3, one 1
}

TEST_F(FillSegmentResponseTest, UncertainPixelsLoseTheirLabelAndTheFiguresStay) {
  plan_.labels = v1::LABEL_RAW;
  plan_.abstain = AbstainPlan{0, {1, 1, 1, 0.002F}, 255};  // margin: above 0.002 for class 3, above 1 for the others
  const v1::SegmentResponse response = Fill();
  // Labels 1 3 3 3 3 1, margin 0, 0.001, 0.002, 0.5, 1, 2.
  EXPECT_EQ(response.labels(), std::string("\1\3\3\xFF\xFF\xFF"));
  EXPECT_TRUE(response.has_abstained_share());
  EXPECT_FLOAT_EQ(response.abstained_share(), 0.5F);
  ASSERT_EQ(response.classes_size(), 2);
  EXPECT_FLOAT_EQ(response.classes(0).share(), 4.0F / 6);
  EXPECT_EQ(response.statistics(0).mean(), 0.5F);
  EXPECT_EQ(response.maps_size(), 0);
}

TEST_F(FillSegmentResponseTest, NothingIsThereUnaskedFor) {
  const v1::SegmentResponse response = Fill();
  EXPECT_FALSE(response.has_abstained_share());
  EXPECT_FALSE(response.has_overlay());
  EXPECT_FALSE(response.has_frame());
  EXPECT_EQ(response.groups_size(), 0);
}

TEST_F(FillSegmentResponseTest, TheFrameComesBack) {
  plan_.frame = v1::Frame();
  plan_.frame->set_camera("front");
  plan_.frame->set_sequence(~uint64_t{0});
  plan_.frame->set_stamp_ns(-5);
  plan_.frame->set_frame_id("base/front");
  EXPECT_EQ(Fill().frame().SerializeAsString(), plan_.frame->SerializeAsString());
}

TEST_F(FillSegmentResponseTest, GroupsAddUpTheirClasses) {
  info_.spec.groups = {{"some", {1, 2}}, {"most", {1, 3}}, {"none", {0}}};
  const v1::SegmentResponse response = Fill();
  ASSERT_EQ(response.groups_size(), 3);
  EXPECT_EQ(response.groups(0).name(), "some");
  EXPECT_FLOAT_EQ(response.groups(0).share(), 2.0F / 6);
  EXPECT_FLOAT_EQ(response.groups(0).mean_uncertainty(), 0.25F);
  EXPECT_FLOAT_EQ(response.groups(1).share(), 1);
  EXPECT_FLOAT_EQ(response.groups(1).mean_uncertainty(), 2.5F / 6);
  EXPECT_EQ(response.groups(2).share(), 0);
  EXPECT_EQ(response.groups(2).mean_uncertainty(), 0);
}

TEST_F(FillSegmentResponseTest, AnOverlayHasTheColoursOnThePictureAndBlackWhereItAbstains) {
  plan_.labels = v1::LABEL_RAW;
  plan_.overlay = OverlayPlan{v1::OVERLAY_PNG, 0.5F, 90};
  plan_.abstain = AbstainPlan{0, {1, 1, 1, 1}, 255};  // the last pixel
  info_.spec.classes[1].colour = {200, 100, 0};
  const v1::SegmentResponse response = Fill();
  EXPECT_EQ(response.labels().size(), 6u);
  EXPECT_EQ(response.overlay().encoding(), v1::OVERLAY_PNG);
  const absl::StatusOr<Image> overlay = DecodeImage(response.overlay().data(), {});
  ASSERT_THAT(overlay, IsOk());
  ASSERT_EQ(overlay->width, 3);
  ASSERT_EQ(overlay->height, 2);
  EXPECT_THAT(std::vector<uint8_t>(overlay->pixels.begin(), overlay->pixels.begin() + 3), ElementsAre(150, 100, 50));
  EXPECT_THAT(std::vector<uint8_t>(overlay->pixels.end() - 3, overlay->pixels.end()), ElementsAre(50, 50, 50));
}

TEST_F(FillSegmentResponseTest, AnOverlayOfARegionLiesOnThatPartOfThePicture) {
  picture_ = {5, 4, {}};
  for (int i = 0; i < 20; ++i) picture_.pixels.insert(picture_.pixels.end(), 3, static_cast<uint8_t>(10 * i));
  plan_.overlay = OverlayPlan{v1::OVERLAY_JPEG, 0.01F, 100};  // next to nothing of the colours
  plan_.region = Region{2, 1, 3, 2};                          // pixels 7 to 9 and 12 to 14
  const absl::StatusOr<Image> overlay = DecodeImage(Fill().overlay().data(), {});
  ASSERT_THAT(overlay, IsOk());
  ASSERT_EQ(overlay->width, 3);
  ASSERT_EQ(overlay->height, 2);
  EXPECT_NEAR(overlay->pixels[0], 70, 8);
  EXPECT_NEAR(overlay->pixels[17], 140, 8);
}

TEST_F(FillSegmentResponseTest, ARegionHasNoVerdict) {
  info_ = WithVerdict(info_, UncertaintyKind::kMargin, 0.25F, 0.5F);
  plan_.region = Region{0, 0, 3, 2};
  EXPECT_EQ(Fill().verdict(), v1::VERDICT_UNSPECIFIED);
}

// The largest picture has no more to say about itself than the smallest.
TEST(FillSegmentResponseSizeTest, StatisticsAloneOfNineteenClassesAndSevenGroupsStayUnderAKibibyte) {
  ModelInfo info = WithVerdict(FakeModelInfo("a-street-model-of-cityscapes", ModelKind::kEnsemble, 19),
                               UncertaintyKind::kMargin, 0.25F, 0.5F);
  Segmentation segmentation;
  segmentation.width = 2048;
  segmentation.height = 1024;
  for (int i = 0; i < 19; ++i) segmentation.classes.push_back({100'000 + i, 1234.5});
  for (int i = 0; i < 7; ++i) info.spec.groups.push_back({"construction" + std::to_string(i), {i}});
  KindResult kind;
  kind.statistics = {UncertaintyKind::kPredictiveStddev, 0.5F, 1, 0.25F, 0.75F, 0.875F, 0.1F, 0.5F};
  segmentation.kinds = {kind, kind};
  v1::SegmentResponse response;
  FillSegmentResponse({}, info, nullptr, &segmentation, &response);
  response.set_request_id(std::string(64, 'x'));
  v1::Timing& timing = *response.mutable_timing();
  timing.set_decode_ms(1.5F);
  timing.set_queue_ms(1.5F);
  timing.set_infer_ms(1.5F);
  timing.set_encode_ms(1.5F);
  EXPECT_EQ(response.classes_size(), 19);
  EXPECT_LT(response.ByteSizeLong(), 1000u);
}

}  // namespace
}  // namespace candor
