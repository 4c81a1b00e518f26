// SPDX-License-Identifier: Apache-2.0
#include "server/flags.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::StartsWith;
using testing::VariantWith;

class FlagsTest : public testing::Test {
 protected:
  std::variant<ServerFlags, ExitCode> Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "candor-server");
    return ParseServerFlags(static_cast<int>(arguments.size()), arguments.data(), out_, err_);
  }

  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(FlagsTest, ReadsEveryFlag) {
  const auto parsed = Parse({"--config", "f", "--bundle", "a", "--bundle=b", "--model", "teacher", "--device=cpu",
                             "--precision=bf16", "--listen", "h:1", "--metrics-listen", "off", "--threads", "3",
                             "--log-level", "debug", "--check-config", "--print-config"});
  ASSERT_THAT(parsed, VariantWith<ServerFlags>(testing::_)) << err_.str();
  const auto& flags = std::get<ServerFlags>(parsed);
  EXPECT_EQ(flags.config_path, "f");
  EXPECT_THAT(flags.bundles, ElementsAre("a", "b"));
  EXPECT_THAT(flags.default_model, Optional(std::string("teacher")));
  EXPECT_THAT(flags.device, Optional(std::string("cpu")));
  EXPECT_THAT(flags.precision, Optional(std::string("bf16")));
  EXPECT_THAT(flags.listen, Optional(std::string("h:1")));
  EXPECT_THAT(flags.metrics_listen, Optional(std::string("off")));
  EXPECT_THAT(flags.threads, Optional(3));
  EXPECT_THAT(flags.log_level, Optional(std::string("debug")));
  EXPECT_TRUE(flags.check_config);
  EXPECT_TRUE(flags.print_config);
}

TEST_F(FlagsTest, WhatIsNotSaidStaysUnset) {
  const auto parsed = Parse({});
  ASSERT_THAT(parsed, VariantWith<ServerFlags>(testing::_));
  const auto& flags = std::get<ServerFlags>(parsed);
  EXPECT_EQ(flags.listen, std::nullopt);
  EXPECT_EQ(flags.threads, std::nullopt);
  EXPECT_THAT(flags.bundles, IsEmpty());
  EXPECT_FALSE(flags.check_config);
}

TEST_F(FlagsTest, HelpGoesToStdoutAndIsNoError) {
  EXPECT_THAT(Parse({"--help"}), VariantWith<ExitCode>(ExitCode::kOk));
  for (const char* flag :
       {"--config", "--bundle", "--model", "--device", "--precision", "--listen", "--metrics-listen", "--threads",
        "--check-config", "--print-config", "--log-level", "--allow-partial-ensemble", "--version"}) {
    EXPECT_THAT(out_.str(), HasSubstr(flag));
  }
  EXPECT_EQ(err_.str(), "");
}

TEST_F(FlagsTest, VersionGoesToStdoutAndIsNoError) {
  EXPECT_THAT(Parse({"--version"}), VariantWith<ExitCode>(ExitCode::kOk));
  EXPECT_THAT(out_.str(), testing::MatchesRegex("candor-server [0-9]+\\.[0-9]+\\.[0-9]+ \\([0-9a-z]+\\)\n"));
}

TEST_F(FlagsTest, UsageErrorsAreOneLineAndExitWithTwo) {
  const std::vector<std::vector<const char*>> cases = {
      {"--no-such-flag"}, {"stray"}, {"--threads", "many"}, {"--threads"}, {"--bundle", "a", "b"}, {"--listen"}};
  for (const std::vector<const char*>& arguments : cases) {
    err_.str("");
    EXPECT_THAT(Parse(arguments), VariantWith<ExitCode>(ExitCode::kUsage)) << arguments[0];
    const std::string text = err_.str();
    EXPECT_THAT(text, StartsWith("candor-server: "));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  }
  EXPECT_EQ(out_.str(), "");
}

}  // namespace
}  // namespace candor
