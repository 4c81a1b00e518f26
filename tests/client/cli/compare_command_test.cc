// SPDX-License-Identifier: Apache-2.0
#include "client/cli/compare_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/image/decode.h"
#include "tests/client/cli/run_candor.h"
#include "tests/client/fake_service.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

TEST(CompareCommandTest, TellsWhatArithmeticSays) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run = Candor({"compare", folder.AddPicture("a.png"), "--server", server.address(), "--json"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  const json first = json::parse(run.out.substr(0, run.out.find('\n')));
  // Student 0 1 2 0 / 1 2 0 1, teacher 0 0 0 0 / 1 2 0 1; uncertainty 0..7 / 16 and its double.
  EXPECT_EQ(first["label_agreement"], 0.75);
  EXPECT_EQ(first["pixels"], 8);
  EXPECT_NEAR(first["student"]["mean_uncertainty"].get<double>(), 3.5 / 16, 1e-12);
  EXPECT_NEAR(first["teacher"]["mean_uncertainty"].get<double>(), 7.0 / 16, 1e-12);
  EXPECT_NEAR(first["mean_absolute_difference"].get<double>(), 3.5 / 16, 1e-12);
  EXPECT_NEAR(first["pearson"].get<double>(), 1, 1e-12);
  EXPECT_NEAR(first["spearman"].get<double>(), 1, 1e-12);
  EXPECT_EQ(first["student"]["verdict"], "review");
  EXPECT_TRUE(first["teacher"]["verdict"].is_null());
  EXPECT_EQ(first["student"]["infer_ms"], 10);
  EXPECT_EQ(first["teacher"]["infer_ms"], 40);
  EXPECT_EQ(first["speed_ratio"]["infer"], 4);
  EXPECT_GT(first["speed_ratio"]["round_trip"], 0);
  EXPECT_EQ(first["uncertainty"]["kind"], "predictive_stddev");
}

TEST(CompareCommandTest, EndsJsonWithAllPicturesTogether) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run = Candor({"compare", folder.AddPicture("a.png", 4, 2), folder.AddPicture("b.png", 4, 4),
                                "--server", server.address(), "--json"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  std::vector<json> lines;
  std::istringstream text(run.out);
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2]["overall"], true);
  EXPECT_EQ(lines[2]["pictures"], 2);
  EXPECT_EQ(lines[2]["pixels"], 24);
  // Two labels differ in the first row of each.
  EXPECT_NEAR(lines[2]["label_agreement"].get<double>(), 20.0 / 24, 1e-12);
}

TEST(CompareCommandTest, PrintsATable) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run =
      Candor({"compare", folder.AddPicture("a.png"), folder.AddPicture("b.png"), "--server", server.address()});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("student: student; teacher: teacher"), HasSubstr("75.00%"), HasSubstr("4.000x"),
                             HasSubstr("overall")));
}

TEST(CompareCommandTest, DrawsThePicture) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run = Candor(
      {"compare", folder.AddPicture("a.png"), "--server", server.address(), "--out", folder.path("out"), "--json"});
  ASSERT_EQ(run.code, ExitCode::kOk) << run.err;
  const json first = json::parse(run.out.substr(0, run.out.find('\n')));
  EXPECT_EQ(first["files"], json({folder.path("out/a_compare.png")}));
  const auto drawn = DecodeImage(folder.Read("out/a_compare.png"), {});
  ASSERT_TRUE(drawn.ok());
  EXPECT_EQ(drawn->width, 3 * 4 + 8);
  EXPECT_EQ(drawn->height, 2 * 2 + 4);
}

TEST(CompareCommandTest, RefusesModelsOfOtherClasses) {
  FakeServer server;
  v1::Model teacher = FakeModel("teacher");
  teacher.mutable_classes(1)->set_name("water");
  server.SetModels({FakeModel("student"), teacher});
  const TempFolder folder;
  const CandorRun run = Candor({"compare", folder.AddPicture("a.png"), "--server", server.address()});
  EXPECT_EQ(run.code, ExitCode::kFailure);
  EXPECT_THAT(run.err, HasSubstr("labels cannot be compared: student (3 classes) and teacher (3 classes)"));
  EXPECT_EQ(server.calls(), 0);
}

TEST(CompareCommandTest, RefusesAKindThatOnlyOneHas) {
  FakeServer server;
  v1::Model teacher = FakeModel("teacher");
  teacher.mutable_uncertainty()->DeleteSubrange(0, 1);
  server.SetModels({FakeModel("student"), teacher});
  const TempFolder folder;
  const CandorRun run = Candor({"compare", folder.AddPicture("a.png"), "--server", server.address()});
  EXPECT_EQ(run.code, ExitCode::kFailure);
  EXPECT_THAT(run.err, HasSubstr("model teacher has no predictive_stddev; it has predictive_entropy"));
}

TEST(CompareCommandTest, GoesOnAfterAFailure) {
  const FakeServer server;
  const TempFolder folder;
  const CandorRun run =
      Candor({"compare", folder.path("none.png"), folder.AddPicture("b.png"), "--server", server.address(), "--json"});
  EXPECT_EQ(run.code, ExitCode::kIo);
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 2);
  EXPECT_THAT(run.err, HasSubstr("none.png"));
}

TEST(CompareCommandTest, RefusesEqualStemsBeforeSending) {
  const FakeServer server;
  const CandorRun run =
      Candor({"compare", "x/a.png", "y/a.jpg", "--server", server.address(), "--out", "/nonexistent"});
  EXPECT_EQ(run.code, ExitCode::kUsage);
  EXPECT_THAT(run.err, AllOf(HasSubstr("x/a.png"), HasSubstr("y/a.jpg")));
}

}  // namespace
}  // namespace candor
