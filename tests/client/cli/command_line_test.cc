// SPDX-License-Identifier: Apache-2.0
#include "client/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/cli/run_candor.h"
#include "tests/client/fake_service.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

TEST(CommandLineTest, RefusesRubbishInOneLine) {
  const std::vector<std::vector<std::string>> rubbish = {
      {},
      {"paint"},
      {"segment"},
      {"segment", "a.png", "--nonsense"},
      {"segment", "a.png", "--timeout", "0"},
      {"segment", "a.png", "--timeout", "-3"},
      {"segment", "a.png", "--timeout", "nan"},
      {"segment", "a.png", "--timeout", "1e9"},
      {"segment", "a.png", "--timeout", "soon"},
      {"segment", "a.png", "--threshold", "-0.5"},
      {"segment", "a.png", "--threshold", "inf"},
      {"segment", "a.png", "--threshold", "much"},
      {"segment", "a.png", "--uncertainty", "doubt"},
      {"segment", "a.png", "--npy"},
      {"segment", "a.png", "--out"},
      {"segment", "a.png", "--server", ""},
      {"segment", "-", "-"},
      {"compare"},
      {"compare", "a.png", "--uncertainty", "doubt"},
      {"models", "extra"},
      {"health", "--timeout", "x"},
      {"health", "models"},
  };
  for (const std::vector<std::string>& arguments : rubbish) {
    const CandorRun run = Candor(arguments);
    EXPECT_EQ(run.code, ExitCode::kUsage) << testing::PrintToString(arguments) << run.err;
    EXPECT_THAT(run.err, MatchesRegex("candor: [^\n]+\n")) << testing::PrintToString(arguments);
    EXPECT_THAT(run.out, IsEmpty()) << testing::PrintToString(arguments);
  }
}

TEST(CommandLineTest, HelpGoesToStandardOutputWithExamples) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"--help"},
                                                                                         {"-h"},
                                                                                         {"segment", "--help"},
                                                                                         {"compare", "--help"},
                                                                                         {"models", "--help"},
                                                                                         {"health", "--help"},
                                                                                         {"admin", "--help"}}) {
    const CandorRun run = Candor(arguments);
    EXPECT_EQ(run.code, ExitCode::kOk);
    EXPECT_THAT(run.out, HasSubstr("Examples:\n  candor " + (arguments.size() == 2 ? arguments[0] : "")));
    EXPECT_THAT(run.err, IsEmpty());
  }
}

TEST(CommandLineTest, ErrorsPointToTheHelpOfTheirCommand) {
  EXPECT_THAT(Candor({"segment", "a.png", "--nonsense"}).err, HasSubstr("(see candor segment --help)"));
  EXPECT_THAT(Candor({"paint"}).err, HasSubstr("(see candor --help)"));
}

TEST(CommandLineTest, PrintsTheVersion) {
  const CandorRun run = Candor({"--version"});
  EXPECT_EQ(run.code, ExitCode::kOk);
  EXPECT_THAT(run.out, MatchesRegex("candor [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CommandLineTest, EveryCommandSaysThatTheServerIsNotThere) {
  const DeadAddress dead;
  for (std::vector<std::string> arguments : std::vector<std::vector<std::string>>{
           {"segment", "a.png"}, {"compare", "a.png"}, {"models"}, {"health"}, {"admin", "reload"}}) {
    arguments.insert(arguments.end(), {"--server", dead.address()});
    const CandorRun run = Candor(arguments);
    EXPECT_EQ(run.code, ExitCode::kUnavailable) << arguments[0];
    EXPECT_THAT(run.err, AllOf(StartsWith("candor: cannot reach " + dead.address() + ": "),
                               testing::EndsWith(" (is candor-server running?)\n")));
    EXPECT_THAT(run.out, IsEmpty());
  }
}

TEST(CommandLineTest, SaysWhenTheOutputCannotBeWritten) {
  const FakeServer server;
  std::istringstream in;
  std::ostream closed(nullptr);  // refuses everything
  std::ostringstream err;
  const std::string address = server.address();
  const char* argv[] = {"candor", "models", "--server", address.c_str()};
  EXPECT_EQ(RunCandor(4, argv, {in, closed, err}), ExitCode::kIo);
  EXPECT_EQ(err.str(), "candor: standard output: cannot be written\n");
}

TEST(ModelsCommandTest, ListsModelsAsTable) {
  const FakeServer server;
  const CandorRun run = Candor({"models", "--server", server.address()});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  EXPECT_EQ(
      run.out,
      "MODEL     VERSION  KIND      MEMBERS  CLASSES  WIDTH  PARAMETERS  DEVICE  PRECISION  SAMPLING  CALIBRATED  "
      "ALIASES        UNCERTAINTY\n"
      "student*        3  student         1        3     64    12345678  cpu     fp32              -  yes         "
      "student-alias  predictive_stddev,predictive_entropy\n"
      "teacher         3  ensemble       10        3     64    12345678  cpu     fp32              -  no          "
      "teacher-alias  predictive_stddev,predictive_entropy\n");
}

TEST(ModelsCommandTest, ShowsHowANetworkSamples) {
  FakeServer server;
  v1::Model model = FakeModel("drop");
  model.set_kind(v1::SINGLE);
  model.set_sampling("mc_dropout");
  model.set_predictions(10);
  server.SetModels({model});
  EXPECT_THAT(Candor({"models", "--server", server.address()}).out, HasSubstr("mc_dropout x10"));
  const json list = json::parse(Candor({"models", "--server", server.address(), "--json"}).out);
  EXPECT_EQ(list["models"][0]["sampling"], "mc_dropout");
  EXPECT_EQ(list["models"][0]["predictions"], 10);
}

TEST(ModelsCommandTest, AnEnsembleWithoutSomeMembersSaysSo) {
  FakeServer server;
  v1::Model model = FakeModel("teacher");
  model.set_members(8);
  model.set_damaged_members(2);
  server.SetModels({model});
  EXPECT_THAT(Candor({"models", "--server", server.address()}).out, HasSubstr("8 of 10"));
  const json list = json::parse(Candor({"models", "--server", server.address(), "--json"}).out);
  EXPECT_EQ(list["models"][0]["members"], 8);
  EXPECT_EQ(list["models"][0]["damaged_members"], 2);
}

TEST(ModelsCommandTest, JsonHasClassesWithColoursAndKindsWithUnits) {
  const FakeServer server;
  const CandorRun run = Candor({"models", "--server", server.address(), "--json"});
  EXPECT_EQ(run.code, ExitCode::kOk) << run.err;
  const json list = json::parse(run.out);
  EXPECT_EQ(list["default_model"], "student");
  ASSERT_EQ(list["models"].size(), 2U);
  const json& teacher = list["models"][1];
  EXPECT_EQ(list["models"][0]["calibration"], json({{"data", "validation"},
                                                    {"temperature", 1.25},
                                                    {"verdict",
                                                     {{"kind", "predictive_stddev"},
                                                      {"accept_max", 0.05},
                                                      {"review_max", 0.2},
                                                      {"error_rate", 0.04},
                                                      {"reject_error_rate", 0.08}}}}));
  EXPECT_TRUE(teacher["calibration"].is_null());
  EXPECT_TRUE(teacher["sampling"].is_null());
  EXPECT_EQ(teacher["predictions"], 10);
  EXPECT_EQ(teacher["kind"], "ensemble");
  EXPECT_EQ(teacher["members"], 10);
  EXPECT_EQ(teacher["aliases"], json({"teacher-alias"}));
  EXPECT_EQ(teacher["classes"][1], json({{"index", 1}, {"name", "sky"}, {"colour", {0, 128, 255}}}));
  EXPECT_EQ(teacher["uncertainty"][0],
            json({{"kind", "predictive_stddev"}, {"unit", "probability"}, {"range_max", 1.0}}));
  EXPECT_NEAR(teacher["uncertainty"][1]["range_max"].get<double>(), 1.0986123, 1e-6);
}

TEST(HealthCommandTest, EndsWithZeroOnlyWhenServing) {
  FakeServer server;
  const CandorRun serving = Candor({"health", "--server", server.address()});
  EXPECT_EQ(serving.code, ExitCode::kOk);
  EXPECT_EQ(serving.out, "SERVING\n");
  server.SetServing("candor.v1.Segmentation", false);
  const CandorRun draining = Candor({"health", "--server", server.address()});
  EXPECT_EQ(draining.code, ExitCode::kUnavailable);
  EXPECT_EQ(draining.out, "NOT_SERVING\n");
  EXPECT_EQ(Candor({"health", "--server", server.address(), "--service", ""}).code, ExitCode::kOk);
}

TEST(HealthCommandTest, TellsAnUnknownService) {
  const FakeServer server;
  const CandorRun run = Candor({"health", "--server", server.address(), "--service", "nobody", "--json"});
  EXPECT_EQ(run.code, ExitCode::kUnavailable);
  EXPECT_EQ(json::parse(run.out), json({{"service", "nobody"}, {"status", "SERVICE_UNKNOWN"}}));
}

}  // namespace
}  // namespace candor
