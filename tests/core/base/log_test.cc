// SPDX-License-Identifier: Apache-2.0
//
// What reaches stderr when it is not a terminal.
#include "core/base/log.h"

#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

std::vector<nlohmann::json> LinesLoggedBy(const std::function<void()>& action) {
  testing::internal::CaptureStderr();
  action();
  std::istringstream text(testing::internal::GetCapturedStderr());
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(LogTest, WritesOneJsonObjectALine) {
  const auto lines = LinesLoggedBy([] {
    LogInfo("ready {}", {{"port", 8500}});
    LogError("failed");
  });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["message"], "ready {}");
  EXPECT_EQ(lines[0]["level"], "info");
  EXPECT_EQ(lines[0]["port"], 8500);
  EXPECT_EQ(lines[1]["level"], "error");
}

TEST(LogTest, LinesBelowTheLevelAreDropped) {
  const auto log_all = [] {
    LogDebug("d");
    LogInfo("i");
    LogWarning("w");
    LogError("e");
  };
  EXPECT_EQ(LinesLoggedBy(log_all).size(), 3u);  // starts at info
  SetLogLevel(LogLevel::kError);
  EXPECT_EQ(LinesLoggedBy(log_all).size(), 1u);
  SetLogLevel(LogLevel::kDebug);
  EXPECT_EQ(LinesLoggedBy(log_all).size(), 4u);
  SetLogLevel(LogLevel::kInfo);
}

TEST(LogTest, ThreadsDoNotMixLines) {
  const auto lines = LinesLoggedBy([] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 50; ++i) LogInfo(std::string(300, static_cast<char>('a' + t)), {{"i", i}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  ASSERT_EQ(lines.size(), 200u);
  for (const auto& line : lines) {
    const std::string message = line["message"];
    EXPECT_EQ(message, std::string(300, message[0]));
  }
}

TEST(LogTest, LevelNamesAreChecked) {
  for (const auto& [name, level] : {std::pair("debug", LogLevel::kDebug), std::pair("info", LogLevel::kInfo),
                                    std::pair("warning", LogLevel::kWarning), std::pair("error", LogLevel::kError)}) {
    const auto parsed = ParseLogLevel(name);
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(*parsed, level);
  }
  EXPECT_THAT(ParseLogLevel("Info"), HasStatus(absl::StatusCode::kInvalidArgument, testing::HasSubstr("\"Info\"")));
}

}  // namespace
}  // namespace candor
