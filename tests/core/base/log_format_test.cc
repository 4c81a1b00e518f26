// SPDX-License-Identifier: Apache-2.0
//
// Lines of log, read back by a JSON parser or compared as text.
#include "core/base/log_format.h"

#include <limits>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

nlohmann::json Parse(const std::string& line) { return nlohmann::json::parse(line); }

TEST(LogFormatTest, StyleFollowsTerminalAndNoColor) {
  EXPECT_EQ(ChooseLogStyle(true, nullptr), LogStyle::kColouredText);
  EXPECT_EQ(ChooseLogStyle(true, ""), LogStyle::kColouredText);
  EXPECT_EQ(ChooseLogStyle(true, "1"), LogStyle::kPlainText);
  EXPECT_EQ(ChooseLogStyle(false, nullptr), LogStyle::kJson);
}

TEST(LogFormatTest, JsonHasTimeInUtcLevelMessageAndFieldsInOrder) {
  const absl::Time time = absl::FromUnixMillis(1700000000123);  // 2023-11-14 22:13:20 UTC
  EXPECT_EQ(JsonLogLine(LogLevel::kWarning, time, "slow", {{"model", "student"}, {"ms", 1.5}, {"n", 3}, {"ok", true}}),
            R"({"time":"2023-11-14T22:13:20.123Z","level":"warning","message":"slow",)"
            R"("model":"student","ms":1.5,"n":3,"ok":true})");
}

TEST(LogFormatTest, JsonIsOneLineWhateverTheText) {
  const std::string nasty = "a\"b\\c\nd\te\x01\xff{}%";
  const std::string line = JsonLogLine(LogLevel::kInfo, absl::UnixEpoch(), nasty, {{"path", nasty}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(Parse(line)["message"], "a\"b\\c\nd\te\x01\xef\xbf\xbd{}%");  // the stray byte became U+FFFD
  EXPECT_EQ(Parse(line)["path"], Parse(line)["message"]);
}

TEST(LogFormatTest, FieldsCannotReplaceTheFixedOnes) {
  const auto json = Parse(JsonLogLine(LogLevel::kInfo, absl::UnixEpoch(), "m", {{"message", "x"}, {"level", 1}}));
  EXPECT_EQ(json["message"], "m");
  EXPECT_EQ(json["message_"], "x");
  EXPECT_EQ(json["level"], "info");
  EXPECT_EQ(json["level_"], 1);
}

TEST(LogFormatTest, NumbersThatAreNotFiniteAreNull) {
  const auto json =
      Parse(JsonLogLine(LogLevel::kInfo, absl::UnixEpoch(), "m", {{"nan", std::numeric_limits<double>::quiet_NaN()}}));
  EXPECT_TRUE(json["nan"].is_null());
}

TEST(LogFormatTest, TextQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(TextLogLine("model loaded", {{"model", "student"}, {"path", "/a b"}, {"n", -2}, {"ok", false}, {"e", ""}}),
            R"(model loaded model=student path="/a b" n=-2 ok=false e="")");
}

TEST(LogFormatTest, TextHoldsNoControlCharacters) {
  EXPECT_EQ(TextLogLine("fake\nline\x1b[2J\x7f", {}), R"("fake\nline\u001b[2J\u007f")");
  EXPECT_EQ(TextLogLine("m", {{"c1",
                               "\xc2\x9b"
                               "2J"}}),
            R"(m c1="\u009b2J")");
}

}  // namespace
}  // namespace candor
