// SPDX-License-Identifier: Apache-2.0
#include "client/cli/segment_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/image/decode.h"
#include "tests/client/cli/run_candor.h"
#include "tests/client/fake_service.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// The 16-bit values of a greyscale PNG, read with libpng itself.
std::vector<uint16_t> ReadPng16(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0);
  EXPECT_EQ(image.format & PNG_FORMAT_FLAG_LINEAR, PNG_FORMAT_FLAG_LINEAR) << "not 16 bits deep";
  image.format = PNG_FORMAT_LINEAR_Y;
  std::vector<uint16_t> values(PNG_IMAGE_SIZE(image) / 2);
  EXPECT_NE(png_image_finish_read(&image, nullptr, values.data(), 0, nullptr), 0) << image.message;
  return values;
}

TEST(SegmentCommandTest, WritesFilesUnderTheirNames) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  const CandorRun run =
      Candor({"segment", picture, "--server", server.address(), "--out", folder.path("new/out"), "--npy"});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(run.err, "");
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("new/out"))) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, UnorderedElementsAre("street_labels.png", "street_uncertainty.png", "street_uncertainty.npy",
                                          "street_overlay.png", "street.json"));
}

TEST(SegmentCommandTest, FilesHoldTheServersMaps) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  ASSERT_EQ(Candor({"segment", picture, "--server", server.address(), "--out", folder.path(), "--npy"}).code,
            ExitCode::kOk);
  EXPECT_THAT(DecodeLabelPng(folder.Read("street_labels.png"), {})->values, ElementsAre(0, 1, 2, 0, 1, 2, 0, 1));
  // i / 16 * 65535 = i * 4095.9375
  EXPECT_THAT(ReadPng16(folder.Read("street_uncertainty.png")),
              ElementsAre(0, 4096, 8192, 12288, 16384, 20480, 24576, 28672));
  const auto npy = DecodeNpy(folder.Read("street_uncertainty.npy"));
  ASSERT_TRUE(npy.ok());
  EXPECT_EQ(npy->width, 4);
  EXPECT_EQ(npy->height, 2);
  EXPECT_THAT(npy->values, ElementsAre(0, 0.0625F, 0.125F, 0.1875F, 0.25F, 0.3125F, 0.375F, 0.4375F));
  const auto overlay = DecodeImage(folder.Read("street_overlay.png"), {});
  ASSERT_TRUE(overlay.ok());
  EXPECT_EQ(overlay->width, 4);
  EXPECT_EQ(overlay->height, 2);
  // Grey 100 and half of road's (128, 64, 128).
  EXPECT_THAT(std::vector<uint8_t>(overlay->pixels.begin(), overlay->pixels.begin() + 3), ElementsAre(114, 82, 114));
}

TEST(SegmentCommandTest, TellsWhichModelAnsweredAndWithHowManyMembers) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  const std::vector<std::string> always = {"segment", picture, "--server", server.address()};
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), always.begin(), always.end());
    return Candor(arguments);
  };
  const json plain = json::parse(run({"--json"}).out);
  EXPECT_EQ(plain["members"], 1);
  EXPECT_EQ(plain["predictions"], 1);
  EXPECT_TRUE(plain["escalation"].is_null());
  EXPECT_EQ(server.last_request().priority(), v1::PRIORITY_NORMAL);
  EXPECT_FALSE(server.last_request().anytime());

  const json escalated =
      json::parse(run({"--json", "--escalate-above", "0.05", "--anytime", "--priority", "high"}).out);
  EXPECT_EQ(escalated["model"]["name"], "teacher");
  EXPECT_EQ(escalated["escalation"], "escalated");
  EXPECT_EQ(escalated["members"], 3);
  EXPECT_EQ(escalated["predictions"], 10);
  EXPECT_EQ(server.last_request().priority(), v1::PRIORITY_HIGH);
  EXPECT_TRUE(server.last_request().anytime());
  EXPECT_EQ(server.last_request().escalation().above(), 0.05F);
  EXPECT_EQ(server.last_request().escalation().model(), "");
  EXPECT_EQ(json::parse(run({"--json", "--escalate-above", "0.1"}).out)["escalation"], "not_needed");

  const std::string table = run({"--escalate-to", "teacher"}).out;
  EXPECT_FALSE(server.last_request().escalation().has_above()) << "the verdict decides";
  EXPECT_EQ(server.last_request().escalation().model(), "teacher");
  EXPECT_THAT(table, AllOf(HasSubstr("MODEL    MEMBERS  ESCALATION"), HasSubstr("teacher    10/10  escalated ")));
  EXPECT_THAT(run({"--model", "teacher", "--anytime"}).out, HasSubstr("teacher     3/10  "));
}

TEST(SegmentCommandTest, RefusesEffortThatMakesNoSense) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  const auto run = [&](const std::string& flag, const std::string& value) {
    return Candor({"segment", picture, "--server", server.address(), flag, value});
  };
  for (const char* value : {"-1", "nan", "inf", "much", ""}) {
    const CandorRun wrong = run("--escalate-above", value);
    EXPECT_EQ(wrong.code, ExitCode::kUsage) << value;
    EXPECT_THAT(wrong.err, HasSubstr("--escalate-above: must be finite and >= 0, got ")) << value;
  }
  const CandorRun priority = run("--priority", "urgent");
  EXPECT_EQ(priority.code, ExitCode::kUsage);
  EXPECT_THAT(priority.err, HasSubstr("--priority: must be low, normal or high, got urgent"));
  EXPECT_EQ(run("--escalate-to", "").code, ExitCode::kUsage);
  const CandorRun unknown = run("--escalate-to", "nobody");
  EXPECT_EQ(unknown.code, ExitCode::kFailure);
  EXPECT_THAT(unknown.err, HasSubstr("--escalate-to: model: no model named nobody"));
  const CandorRun same = run("--escalate-to", "student");
  EXPECT_EQ(same.code, ExitCode::kFailure);
  EXPECT_THAT(same.err, HasSubstr("--escalate-to: must be another model than student, which answers first"));
  const CandorRun unjudged =
      Candor({"segment", picture, "--server", server.address(), "--model", "teacher", "--escalate-to", "student"});
  EXPECT_EQ(unjudged.code, ExitCode::kFailure);
  EXPECT_THAT(unjudged.err, HasSubstr("--escalate: teacher gives no verdicts; --escalate-above X has to say"));
}

TEST(SegmentCommandTest, ScalesTheUncertaintyPictureByTheKindsRange) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  ASSERT_EQ(Candor({"segment", picture, "--server", server.address(), "--out", folder.path(), "--uncertainty",
                    "predictive_entropy"})
                .code,
            ExitCode::kOk);
  // 7 / 16 / ln(3) * 65535 = 26097.87
  EXPECT_EQ(ReadPng16(folder.Read("street_uncertainty.png")).back(), 26098);
  const json summary = json::parse(folder.Read("street.json"));
  EXPECT_NEAR(summary["uncertainty"]["range_max"].get<double>(), 1.0986123, 1e-6);
  EXPECT_EQ(summary["uncertainty"]["unit"], "nats");
  EXPECT_EQ(summary["uncertainty"]["kind"], "predictive_entropy");
}

TEST(SegmentCommandTest, SummaryHasAllKeys) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  const CandorRun run = Candor({"segment", picture, "--server", server.address(), "--out", folder.path(), "--json",
                                "--threshold", "0.25", "--model", "teacher"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  json summary = json::parse(run.out);
  EXPECT_EQ(summary, json::parse(folder.Read("street.json")));
  EXPECT_GT(summary["timing"]["round_trip_ms"], 0);
  summary["timing"].erase("round_trip_ms");
  const json expected = {{"image", picture},
                         {"width", 4},
                         {"height", 2},
                         {"model", {{"name", "teacher"}, {"version", 3}, {"digest", std::string(64, 'a')}}},
                         {"request_id", "r-17"},
                         {"members", 10},
                         {"predictions", 10},
                         {"escalation", nullptr},
                         {"uncertainty",
                          {{"kind", "predictive_stddev"},
                           {"unit", "probability"},
                           {"range_max", 1.0},
                           {"mean", 0.1},
                           {"max", 0.9},
                           {"median", 0.05},
                           {"p90", 0.25},
                           {"p99", 0.5},
                           {"threshold", 0.25},
                           {"share_above_threshold", 0.125}}},
                         {"verdict", nullptr},
                         {"classes",
                          {{{"index", 1}, {"name", "sky"}, {"share", 0.75}, {"mean_uncertainty", 0.2}},
                           {{"index", 0}, {"name", "road"}, {"share", 0.25}, {"mean_uncertainty", 0.4}}}},
                         {"groups", {{{"name", "drivable"}, {"share", 0.25}, {"mean_uncertainty", 0.4}}}},
                         {"abstained_share", nullptr},
                         {"timing", {{"decode_ms", 1.5}, {"queue_ms", 0.25}, {"infer_ms", 40.0}, {"encode_ms", 2.5}}},
                         {"files",
                          {folder.path("street_labels.png"), folder.path("street_uncertainty.png"),
                           folder.path("street_overlay.png"), folder.path("street.json")}}};
  EXPECT_EQ(summary, expected);
}

TEST(SegmentCommandTest, AbstainsAboveTheGivenUncertainty) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  const CandorRun run = Candor({"segment", picture, "--server", server.address(), "--out", folder.path(), "--json",
                                "--uncertainty", "predictive_entropy", "--abstain-above", "0.25"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(json::parse(run.out)["abstained_share"], 0.375);  // the last three of eight pixels
  EXPECT_THAT(DecodeLabelPng(folder.Read("street_labels.png"), {})->values, ElementsAre(0, 1, 2, 0, 1, 255, 255, 255));
  EXPECT_EQ(server.last_request().abstain().kind(), v1::PREDICTIVE_ENTROPY);
  const CandorRun table = Candor({"segment", picture, "--server", server.address(), "--abstain-above", "0.25"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("no label: 37.5% of the pixels"), HasSubstr("drivable")));
  EXPECT_EQ(Candor({"segment", picture, "--server", server.address(), "--abstain-above", "-1"}).code, ExitCode::kUsage);
}

TEST(SegmentCommandTest, AsksForStatisticsAloneWithoutOut) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run = Candor({"segment", folder.AddPicture("street.png"), "--server", server.address()});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(server.last_request().labels(), v1::LABEL_ENCODING_UNSPECIFIED);
  EXPECT_EQ(server.last_request().uncertainty(0).encoding(), v1::MAP_ENCODING_UNSPECIFIED);
  EXPECT_THAT(run.out, AllOf(HasSubstr("IMAGE"), HasSubstr("4x2"), HasSubstr("predictive_stddev"), HasSubstr("0.1000"),
                             HasSubstr("sky 75.0%, road 25.0%")));
  EXPECT_THAT(folder.List(), ElementsAre("street.png"));
}

TEST(SegmentCommandTest, ShowsTheVerdictOfACalibratedModel) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("street.png");
  EXPECT_THAT(Candor({"segment", picture, "--server", server.address()}).out,
              AllOf(HasSubstr("VERDICT"), HasSubstr("review")));
  EXPECT_EQ(json::parse(Candor({"segment", picture, "--server", server.address(), "--json"}).out)["verdict"], "review");
}

TEST(SegmentCommandTest, ReadsStandardInput) {
  const FakeServer server;
  const TempFolder folder;
  folder.AddPicture("street.png");
  const CandorRun run =
      Candor({"segment", "-", "--server", server.address(), "--out", folder.path("out")}, folder.Read("street.png"));
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(DecodeLabelPng(folder.Read("out/stdin_labels.png"), {})->width, 4);
}

TEST(SegmentCommandTest, GoesOnAfterAFailureAndEndsWithTheFirstFailuresCode) {
  const FakeServer server;
  const TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder.path("text.png"), "no picture").ok());
  const std::string good = folder.AddPicture("good.png");
  const CandorRun run = Candor({"segment", folder.path("none.png"), folder.path("text.png"), folder.path(), good,
                                "--server", server.address(), "--json"});
  EXPECT_EQ(run.code, ExitCode::kIo);
  EXPECT_EQ(json::parse(run.out)["image"], good);
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("none.png"), HasSubstr("text.png: image.encoded:"), HasSubstr("directory")));
  EXPECT_EQ(Candor({"segment", folder.path("text.png"), good, "--server", server.address()}).code, ExitCode::kFailure);
}

TEST(SegmentCommandTest, PrintsOneJsonLineForEachPicture) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run = Candor(
      {"segment", folder.AddPicture("a.png"), folder.AddPicture("b.png"), "--server", server.address(), "--json"}, "",
      /*terminal=*/true);
  std::istringstream lines(run.out);
  std::vector<std::string> images;
  for (std::string line; std::getline(lines, line);) images.push_back(json::parse(line)["image"]);
  EXPECT_THAT(images, ElementsAre(folder.path("a.png"), folder.path("b.png")));
  EXPECT_THAT(run.err, HasSubstr("1/2"));
}

TEST(SegmentCommandTest, RefusesEqualStemsBeforeSending) {
  const FakeServer server;
  const TempFolder folder;
  const std::string png = folder.AddPicture("a.png");
  const std::string other = folder.AddPicture("a.other.png");
  std::filesystem::create_directory(folder.path("sub"));
  const std::string same = folder.AddPicture("sub/a.png");
  const CandorRun run =
      Candor({"segment", png, other, same, "--server", server.address(), "--out", folder.path("out")});
  EXPECT_EQ(run.code, ExitCode::kUsage);
  EXPECT_THAT(run.err, AllOf(HasSubstr(png), HasSubstr(same)));
  EXPECT_EQ(server.calls(), 0);
  EXPECT_FALSE(std::filesystem::exists(folder.path("out")));
}

TEST(SegmentCommandTest, ReportsAFolderThatCannotBeMade) {
  const FakeServer server;
  const TempFolder folder;
  const std::string picture = folder.AddPicture("a.png");
  const CandorRun run = Candor({"segment", picture, "--server", server.address(), "--out", picture + "/out"});
  EXPECT_EQ(run.code, ExitCode::kIo);
  EXPECT_THAT(run.err, HasSubstr("--out"));
  EXPECT_EQ(server.calls(), 0);
}

TEST(SegmentCommandTest, NamesTheKindsAModelHas) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run =
      Candor({"segment", folder.AddPicture("a.png"), "--server", server.address(), "--uncertainty", "margin"});
  EXPECT_EQ(run.code, ExitCode::kFailure);
  EXPECT_THAT(run.err, HasSubstr("model student has no margin; it has predictive_stddev, predictive_entropy"));
  EXPECT_EQ(server.calls(), 0);
}

TEST(SegmentCommandTest, ReportsAnUnknownModel) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run = Candor({"segment", folder.AddPicture("a.png"), "--server", server.address(), "--model", "zz"});
  EXPECT_EQ(run.code, ExitCode::kFailure);
  EXPECT_EQ(run.err, "candor: model: no model named zz\n");
  EXPECT_THAT(run.out, IsEmpty());
}

TEST(SegmentCommandTest, NeverWritesMapsThatDoNotFitThePicture) {
  const FakeServer server([](const v1::SegmentRequest& request, v1::SegmentResponse* reply) {
    v1::SegmentRequest turned = request;
    turned.mutable_image()->mutable_raw()->set_width(2);
    turned.mutable_image()->mutable_raw()->set_height(4);
    return AnswerFaithfully(turned, reply);
  });
  const TempFolder folder;
  const CandorRun run =
      Candor({"segment", folder.AddPicture("a.png"), "--server", server.address(), "--out", folder.path("out")});
  EXPECT_EQ(run.code, ExitCode::kInternal);
  EXPECT_THAT(run.err, HasSubstr("the picture is 4x2, but the server's maps are 2x4"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("out")));
}

}  // namespace
}  // namespace candor
