// SPDX-License-Identifier: Apache-2.0
#include "client/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/client/fake_service.h"
#include "tests/testing/status_matchers.h"
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A 4x2 picture, labels and two maps.
v1::SegmentRequest FullRequest() {
  SegmentOptions options;
  options.uncertainty = {{"predictive_stddev"}, {"predictive_entropy"}};
  v1::SegmentRequest request = *MakeSegmentRequest(options);
  request.mutable_image()->mutable_raw()->set_width(4);
  request.mutable_image()->mutable_raw()->set_height(2);
  return request;
}

v1::SegmentResponse FaithfulReply(const v1::SegmentRequest& request) {
  v1::SegmentResponse reply;
  EXPECT_TRUE(AnswerFaithfully(request, &reply).ok());
  return reply;
}

// What the server reads.
v1::SegmentRequest AsReceived(const v1::SegmentRequest& request, const std::vector<grpc::Slice>& large_fields) {
  grpc::Slice bytes;
  EXPECT_TRUE(Serialize(request, large_fields).DumpToSingleSlice(&bytes).ok());
  v1::SegmentRequest received;
  EXPECT_TRUE(received.ParseFromArray(bytes.begin(), static_cast<int>(bytes.size())));
  return received;
}

TEST(MakeSegmentRequestTest, AsksForRawLabelsAndFloatMaps) {
  SegmentOptions options;
  options.model = "teacher";
  options.uncertainty = {{"mutual_information", true, 0.25F}, {"", false, std::nullopt}};
  const auto request = MakeSegmentRequest(options);
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->model(), "teacher");
  EXPECT_EQ(request->labels(), v1::LABEL_RAW);
  ASSERT_EQ(request->uncertainty_size(), 2);
  EXPECT_EQ(request->uncertainty(0).kind(), v1::MUTUAL_INFORMATION);
  EXPECT_EQ(request->uncertainty(0).encoding(), v1::MAP_F32);
  EXPECT_EQ(request->uncertainty(0).threshold(), 0.25F);
  EXPECT_EQ(request->uncertainty(1).kind(), v1::UNCERTAINTY_KIND_UNSPECIFIED);
  EXPECT_EQ(request->uncertainty(1).encoding(), v1::MAP_ENCODING_UNSPECIFIED);
  EXPECT_FALSE(request->uncertainty(1).has_threshold());
}

TEST(MakeSegmentRequestTest, SaysWhereThePictureIsFromAndHowUrgentItIs) {
  SegmentOptions options;
  EXPECT_FALSE(MakeSegmentRequest(options)->has_frame());
  EXPECT_EQ(MakeSegmentRequest(options)->priority(), v1::PRIORITY_NORMAL);
  options.frame = FrameOrigin{"front left", 7, -5, "map"};
  options.priority = RequestPriority::kHigh;
  options.anytime = true;
  const auto request = MakeSegmentRequest(options);
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->frame().camera(), "front left");
  EXPECT_EQ(request->frame().sequence(), 7U);
  EXPECT_EQ(request->frame().stamp_ns(), -5);
  EXPECT_EQ(request->frame().frame_id(), "map");
  EXPECT_EQ(request->priority(), v1::PRIORITY_HIGH);
  EXPECT_TRUE(request->anytime());
  options.frame->frame_id = std::string(65, 'm');
  EXPECT_THAT(MakeSegmentRequest(options), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("frame.frame_id")));
}

TEST(MakeSegmentRequestTest, AsksASecondModelIfSaidSo) {
  SegmentOptions options;
  EXPECT_FALSE(MakeSegmentRequest(options)->has_escalation());
  options.escalation.emplace();
  EXPECT_TRUE(MakeSegmentRequest(options)->has_escalation());
  EXPECT_FALSE(MakeSegmentRequest(options)->escalation().has_above());
  options.escalation = EscalationOption{"committee", 0.25F};
  EXPECT_EQ(MakeSegmentRequest(options)->escalation().model(), "committee");
  EXPECT_EQ(MakeSegmentRequest(options)->escalation().above(), 0.25F);
}

TEST(ReadSegmentResponseTest, CarriesEveryOutcomeOfAnEscalationThatWasAskedFor) {
  v1::SegmentRequest request = FullRequest();
  v1::SegmentResponse reply = FaithfulReply(request);
  EXPECT_EQ(ReadSegmentResponse(request, reply)->escalation, EscalationOutcome::kNone);
  reply.set_escalation(v1::NO_TIME);
  EXPECT_THAT(ReadSegmentResponse(request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("escalation: was not asked for, got NO_TIME")));
  request.mutable_escalation();
  for (const auto& [sent, read, name] : std::vector<std::tuple<v1::EscalationOutcome, EscalationOutcome, const char*>>{
           {v1::NOT_NEEDED, EscalationOutcome::kNotNeeded, "not_needed"},
           {v1::ESCALATED, EscalationOutcome::kEscalated, "escalated"},
           {v1::NO_TIME, EscalationOutcome::kNoTime, "no_time"},
           {v1::SECOND_FAILED, EscalationOutcome::kSecondFailed, "second_failed"}}) {
    reply.set_escalation(sent);
    ASSERT_THAT(ReadSegmentResponse(request, reply), IsOk());
    EXPECT_EQ(ReadSegmentResponse(request, reply)->escalation, read);
    EXPECT_EQ(EscalationOutcomeName(read), name);
  }
  reply.set_escalation(static_cast<v1::EscalationOutcome>(9));
  EXPECT_THAT(ReadSegmentResponse(request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("escalation: unknown value 9")));
}

TEST(ReadSegmentResponseTest, TheFrameIsAsSent) {
  v1::SegmentRequest request = FullRequest();
  request.mutable_frame()->set_camera("left");
  request.mutable_frame()->set_stamp_ns(3);
  v1::SegmentResponse reply = FaithfulReply(request);
  reply.set_members(4);
  const auto result = ReadSegmentResponse(request, reply);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->frame->camera, "left");
  EXPECT_EQ(result->frame->stamp_ns, 3);
  EXPECT_EQ(result->members, 4);
  reply.mutable_frame()->set_stamp_ns(4);
  EXPECT_THAT(ReadSegmentResponse(request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("frame: must be as sent")));
  reply.clear_frame();
  EXPECT_THAT(ReadSegmentResponse(request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("frame: must be as sent")));
}

TEST(MakeSegmentRequestTest, RefusesKindsOutsideTheProtocol) {
  for (const char* kind : {"doubt", "PREDICTIVE_STDDEV", "uncertainty_kind_unspecified"}) {
    SegmentOptions options;
    options.uncertainty = {{kind}};
    EXPECT_THAT(MakeSegmentRequest(options),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("max_probability, margin")))
        << kind;
  }
}

TEST(MakeSegmentRequestTest, AsksForRunLengthsAbstentionAndRegion) {
  SegmentOptions options;
  options.label_transfer = LabelTransfer::kRunLengths;
  options.abstain = AbstainOption{"margin", 0.5F, {}, 254};
  options.region = RegionOption{1, 2, 3, 4};
  auto request = MakeSegmentRequest(options);
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->labels(), v1::LABEL_RLE);
  EXPECT_EQ(request->abstain().kind(), v1::MARGIN);
  EXPECT_EQ(request->abstain().threshold(), 0.5F);
  EXPECT_EQ(request->abstain().index(), 254);
  EXPECT_EQ(request->region().ShortDebugString(), "x: 1 y: 2 width: 3 height: 4");
  options.abstain->class_thresholds = {0.1F, 0.2F};
  request = MakeSegmentRequest(options);
  ASSERT_THAT(request, IsOk());
  EXPECT_FALSE(request->abstain().has_threshold());
  EXPECT_THAT(request->abstain().class_thresholds(), ElementsAre(0.1F, 0.2F));
  options.abstain->kind = "doubt";
  EXPECT_THAT(MakeSegmentRequest(options), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("doubt")));
  const v1::SegmentRequest plain = *MakeSegmentRequest({});
  EXPECT_FALSE(plain.has_abstain());
  EXPECT_FALSE(plain.has_region());
}

TEST(MakeSegmentRequestTest, RefusesIdsThatCannotTravel) {
  for (const std::string& id :
       {std::string("a b"), std::string("a\n"), std::string(65, 'x'), std::string("\xC3\xBC")}) {
    SegmentOptions options;
    options.request_id = id;
    EXPECT_THAT(MakeSegmentRequest(options), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("request_id: ")));
    options.request_id.clear();
    options.traceparent = id;
    EXPECT_THAT(MakeSegmentRequest(options), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("traceparent: ")));
  }
}

TEST(ReadSegmentResponseTest, TurnsRunLengthsIntoLabels) {
  SegmentOptions options;
  options.label_transfer = LabelTransfer::kRunLengths;
  options.abstain = AbstainOption{"", 0.25F, {}, 255};
  v1::SegmentRequest request = *MakeSegmentRequest(options);
  request.mutable_image()->mutable_raw()->set_width(4);
  request.mutable_image()->mutable_raw()->set_height(2);
  v1::SegmentResponse reply = FaithfulReply(request);
  const auto result = ReadSegmentResponse(request, reply);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->labels.width, 4);
  EXPECT_THAT(result->labels.values, ElementsAre(0, 1, 2, 0, 1, 255, 255, 255));
  EXPECT_EQ(result->abstained_share, 0.375F);
  ASSERT_EQ(result->groups.size(), 1U);
  EXPECT_EQ(result->groups[0].name, "drivable");
  EXPECT_EQ(result->groups[0].share, 0.25F);
  EXPECT_EQ(result->groups[0].mean_uncertainty, 0.4F);
  reply.mutable_labels()->pop_back();
  EXPECT_THAT(ReadSegmentResponse(request, reply), HasStatus(absl::StatusCode::kInternal, HasSubstr("labels: byte ")));
  reply = FaithfulReply(request);
  reply.clear_abstained_share();
  EXPECT_THAT(ReadSegmentResponse(request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("abstained_share: was asked for and is missing")));
}

// Four bytes of run lengths may claim any size.
TEST(ReadSegmentResponseTest, APictureLargerThanAServerTakesIsRefused) {
  SegmentOptions options;
  options.label_transfer = LabelTransfer::kRunLengths;
  v1::SegmentRequest request = *MakeSegmentRequest(options);
  request.mutable_image()->mutable_raw()->set_width(4);
  request.mutable_image()->mutable_raw()->set_height(2);
  v1::SegmentResponse reply = FaithfulReply(request);
  request.mutable_image()->set_encoded("a picture's file: its size is not in the request");
  reply.clear_abstained_share();
  for (const int side : {16385, std::numeric_limits<int32_t>::max()}) {
    reply.set_width(side);
    reply.set_height(side);
    EXPECT_THAT(ReadSegmentResponse(request, reply),
                HasStatus(absl::StatusCode::kInternal, HasSubstr("must be at most 268435456 pixels")));
  }
  reply.set_width(16384);
  reply.set_height(16384);
  EXPECT_THAT(ReadSegmentResponse(request, reply), HasStatus(absl::StatusCode::kInternal, HasSubstr("labels: ")));
}

TEST(ReadSegmentResponseTest, ARegionsAnswerHasTheRegionsSize) {
  v1::SegmentRequest request = FullRequest();
  const v1::SegmentResponse reply = FaithfulReply(request);  // 4x2
  request.mutable_image()->mutable_raw()->set_width(100);
  request.mutable_region()->set_width(4);
  request.mutable_region()->set_height(2);
  EXPECT_THAT(ReadSegmentResponse(request, reply), IsOk());
  request.mutable_region()->set_height(3);
  EXPECT_THAT(ReadSegmentResponse(request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("asked for 4x3, got 4x2")));
}

TEST(AllKindNamesTest, AreThoseOfTheVocabulary) {
  EXPECT_THAT(AllKindNames(),
              ElementsAre("predictive_stddev", "predictive_entropy", "expected_entropy", "mutual_information",
                          "max_probability", "margin", "disagreement", "energy", "feature_density"));
}

TEST(PutPictureTest, CarriesTheFileEvenAnEmptyOne) {
  for (const std::string& file : {std::string("a\0b", 3), std::string()}) {
    v1::SegmentRequest request;
    std::vector<grpc::Slice> large_fields;
    PutPicture(file, request.mutable_image(), &large_fields);
    const v1::SegmentRequest received = AsReceived(request, large_fields);
    EXPECT_TRUE(received.image().has_encoded());
    EXPECT_EQ(received.image().encoded(), file);
  }
}

TEST(PutPictureTest, CarriesEveryFormatAndField) {
  const std::pair<PixelFormat, v1::PixelFormat> formats[] = {{PixelFormat::kRgb8, v1::RGB8},
                                                             {PixelFormat::kBgr8, v1::BGR8},
                                                             {PixelFormat::kGrey8, v1::GREY8},
                                                             {PixelFormat::kYuyv, v1::YUYV},
                                                             {PixelFormat::kNv12, v1::NV12}};
  for (const auto& [format, expected] : formats) {
    v1::SegmentRequest request;
    std::vector<grpc::Slice> large_fields;
    PutPicture(RawImage{format, 6, 4, 32, absl::string_view("a\0b", 3)}, request.mutable_image(), &large_fields);
    const v1::RawImage raw = AsReceived(request, large_fields).image().raw();
    EXPECT_EQ(raw.format(), expected);
    EXPECT_EQ(raw.width(), 6);
    EXPECT_EQ(raw.height(), 4);
    EXPECT_EQ(raw.stride(), 32);
    EXPECT_EQ(raw.data(), std::string("a\0b", 3));
  }
}

TEST(ReadSegmentResponseTest, LabelsAndMapsMayLieApart) {
  const v1::SegmentRequest request = FullRequest();
  const v1::SegmentResponse reply = FaithfulReply(request);
  const std::string bytes = reply.SerializeAsString();
  for (const size_t piece_bytes : {1UL, 7UL, 1000UL}) {
    std::vector<grpc::Slice> pieces;
    for (size_t i = 0; i < bytes.size(); i += piece_bytes) pieces.emplace_back(bytes.substr(i, piece_bytes));
    Incoming<v1::SegmentResponse> incoming;
    incoming.bytes = grpc::ByteBuffer(pieces.data(), pieces.size());
    ASSERT_TRUE(Parse(&incoming));
    const auto apart = ReadSegmentResponse(request, incoming.message, &incoming.split);
    const auto inside = ReadSegmentResponse(request, reply);
    ASSERT_THAT(apart, IsOk());
    EXPECT_EQ(apart->labels.values, inside->labels.values);
    ASSERT_EQ(apart->uncertainty.size(), 2U);
    EXPECT_EQ(apart->uncertainty[0].map.values, inside->uncertainty[0].map.values);
    EXPECT_EQ(apart->uncertainty[1].map.values, inside->uncertainty[1].map.values);
  }
}

TEST(ReadSegmentResponseTest, MapsMayTravelAsHalves) {
  SegmentOptions options;
  options.want_labels = false;
  options.uncertainty = {{"predictive_stddev"}};
  options.map_transfer = MapTransfer::kHalves;
  auto request = MakeSegmentRequest(options);
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->uncertainty(0).encoding(), v1::MAP_F16);
  *request->mutable_image() = FullRequest().image();
  v1::SegmentResponse reply = FaithfulReply(*request);
  v1::UncertaintyMap* map = reply.mutable_maps(0);
  map->clear_data();
  const std::string half_and_a_quarter("\x00\x38\x00\x34", 4);
  for (int i = 0; i < 4; ++i) map->mutable_data()->append(half_and_a_quarter);
  const auto result = ReadSegmentResponse(*request, reply);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->uncertainty[0].map.values, ElementsAre(0.5F, 0.25F, 0.5F, 0.25F, 0.5F, 0.25F, 0.5F, 0.25F));

  map->mutable_data()->replace(0, 2, std::string("\x00\x7c", 2));
  EXPECT_THAT(ReadSegmentResponse(*request, reply), HasStatus(absl::StatusCode::kInternal, HasSubstr("finite")));
  map->set_data("short");
  EXPECT_THAT(ReadSegmentResponse(*request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("float16 need 16 bytes, got 5")));
  map->set_encoding(v1::MAP_F32);
  EXPECT_THAT(ReadSegmentResponse(*request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("asked for MAP_F16, got MAP_F32")));
}

TEST(ReadSegmentResponseTest, AcceptsTheDefaultKindForAnUnnamedOne) {
  v1::SegmentRequest request = FullRequest();
  request.clear_uncertainty();
  request.add_uncertainty()->set_encoding(v1::MAP_F32);
  const auto result = ReadSegmentResponse(request, FaithfulReply(request));
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->uncertainty.size(), 1U);
  EXPECT_EQ(result->uncertainty[0].figures.kind, "predictive_stddev");
  EXPECT_EQ(result->uncertainty[0].map.values.size(), 8U);
}

TEST(ReadSegmentResponseTest, CarriesEveryVerdict) {
  const v1::SegmentRequest request = FullRequest();
  v1::SegmentResponse reply = FaithfulReply(request);
  const std::pair<v1::Verdict, const char*> verdicts[] = {
      {v1::VERDICT_UNSPECIFIED, "none"}, {v1::ACCEPT, "accept"}, {v1::REVIEW, "review"}, {v1::REJECT, "reject"}};
  for (const auto& [verdict, name] : verdicts) {
    reply.set_verdict(verdict);
    const auto result = ReadSegmentResponse(request, reply);
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(VerdictName(result->verdict), name);
  }
}

TEST(ReadSegmentResponseTest, TakesTheVerdictsKindThoughItWasNotAskedFor) {
  const v1::SegmentRequest request = FullRequest();
  v1::SegmentResponse reply = FaithfulReply(request);
  *reply.add_statistics() = reply.statistics(0);
  reply.mutable_statistics(2)->set_kind(v1::MARGIN);
  const auto result = ReadSegmentResponse(request, reply);
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->uncertainty.size(), 3U);
  EXPECT_EQ(result->uncertainty[2].figures.kind, "margin");
}

struct Contradiction {
  const char* message;
  void (*damage)(v1::SegmentResponse*);
};

class ContradictoryReplyTest : public testing::TestWithParam<Contradiction> {};

TEST_P(ContradictoryReplyTest, IsInternal) {
  const v1::SegmentRequest request = FullRequest();
  v1::SegmentResponse reply = FaithfulReply(request);
  ASSERT_THAT(ReadSegmentResponse(request, reply), IsOk());
  GetParam().damage(&reply);
  EXPECT_THAT(ReadSegmentResponse(request, reply),
              HasStatus(absl::StatusCode::kInternal, HasSubstr(GetParam().message)));
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Damage, ContradictoryReplyTest,
    testing::Values(
        Contradiction{"width and height: must be >= 1, got 0x2", [](auto* r) { r->set_width(0); }},
        Contradiction{"width and height: must be >= 1, got 4x-2", [](auto* r) { r->set_height(-2); }},
        Contradiction{"sent 4x2, got 2x4", [](auto* r) { r->set_width(2), r->set_height(4); }},
        Contradiction{"label_encoding", [](auto* r) { r->set_label_encoding(v1::LABEL_PNG); }},
        Contradiction{"labels: 4x2 need 8 bytes, got 7", [](auto* r) { r->mutable_labels()->pop_back(); }},
        Contradiction{"labels: 4x2 need 8 bytes, got 9", [](auto* r) { r->mutable_labels()->push_back('a'); }},
        Contradiction{"maps[1].data: 4x2 float32 need 32 bytes, got 31",
                      [](auto* r) { r->mutable_maps(1)->mutable_data()->pop_back(); }},
        Contradiction{"maps[0].encoding", [](auto* r) { r->mutable_maps(0)->set_encoding(v1::MAP_U8); }},
        Contradiction{"maps[0].data: values must be finite",
                      [](auto* r) { r->mutable_maps(0)->mutable_data()->assign(32, '\xff'); }},
        Contradiction{"maps[0]: predictive_stddev was asked for", [](auto* r) { r->clear_maps(); }},
        Contradiction{"maps[0]: predictive_stddev was asked for",
                      [](auto* r) { r->mutable_maps(0)->set_kind(v1::MARGIN); }},
        Contradiction{"maps: asked for 2, got 3", [](auto* r) { *r->add_maps() = r->maps(0); }},
        Contradiction{"statistics: must hold", [](auto* r) { r->clear_statistics(); }},
        Contradiction{"statistics: predictive_entropy was asked for",
                      [](auto* r) { r->mutable_statistics()->RemoveLast(); }},
        Contradiction{"statistics[1].kind",
                      [](auto* r) { r->mutable_statistics(1)->set_kind(static_cast<v1::UncertaintyKind>(99)); }},
        Contradiction{"statistics[0]: figures", [](auto* r) { r->mutable_statistics(0)->set_p90(kNan); }},
        Contradiction{"share_above_threshold",
                      [](auto* r) { r->mutable_statistics(0)->set_share_above_threshold(1.5F); }},
        Contradiction{"classes: index -1", [](auto* r) { r->mutable_classes(0)->set_class_index(-1); }},
        Contradiction{"abstained_share: was not asked for", [](auto* r) { r->set_abstained_share(0); }},
        Contradiction{"groups: share 2 ", [](auto* r) { r->mutable_groups(0)->set_share(2); }},
        Contradiction{"groups: share ", [](auto* r) { r->mutable_groups(0)->set_mean_uncertainty(kNan); }},
        Contradiction{"verdict: unknown value 9", [](auto* r) { r->set_verdict(static_cast<v1::Verdict>(9)); }},
        Contradiction{"share 2,", [](auto* r) { r->mutable_classes(0)->set_share(2); }}));

TEST(ReadModelTest, RefusesModelsThatCannotBeShown) {
  EXPECT_THAT(ReadModel(v1::Model()), HasStatus(absl::StatusCode::kInternal, HasSubstr("must have classes")));
  v1::Model model = FakeModel("student");
  model.mutable_uncertainty(1)->set_range_max(0);
  EXPECT_THAT(ReadModel(model),
              HasStatus(absl::StatusCode::kInternal, HasSubstr("range_max of predictive_entropy must be finite")));
  v1::Model calibrated = FakeModel("student");
  calibrated.mutable_calibration()->mutable_verdict()->set_review_max(kNan);
  EXPECT_THAT(ReadModel(calibrated), HasStatus(absl::StatusCode::kInternal,
                                               HasSubstr("model student: thresholds of the verdict must be finite")));
}

TEST(ReadModelTest, CarriesSamplingAndCalibration) {
  v1::Model model = FakeModel("student");
  model.set_sampling("augmentation");
  model.set_predictions(6);
  const auto description = ReadModel(model);
  ASSERT_THAT(description, IsOk());
  EXPECT_EQ(description->sampling, "augmentation");
  EXPECT_EQ(description->predictions, 6);
  ASSERT_TRUE(description->calibration.has_value());
  EXPECT_EQ(description->calibration->data, "validation");
  EXPECT_EQ(description->calibration->temperature, 1.25F);
  ASSERT_TRUE(description->calibration->verdict.has_value());
  EXPECT_EQ(description->calibration->verdict->kind, "predictive_stddev");
  EXPECT_EQ(description->calibration->verdict->accept_max, 0.05F);
  EXPECT_EQ(description->calibration->verdict->review_max, 0.2F);
  EXPECT_EQ(description->calibration->verdict->error_rate, 0.04F);
  EXPECT_EQ(description->calibration->verdict->reject_error_rate, 0.08F);

  model.mutable_calibration()->clear_verdict();
  EXPECT_FALSE(ReadModel(model)->calibration->verdict.has_value());
  EXPECT_FALSE(ReadModel(FakeModel("teacher"))->calibration.has_value());
}

}  // namespace
}  // namespace candor
