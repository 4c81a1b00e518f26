// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/flags.h"

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using testing::HasSubstr;

struct Parsed {
  std::variant<ServiceFlags, ExitCode> result;
  std::string out;
  std::string err;

  ExitCode code() const {
    return std::holds_alternative<ExitCode>(result) ? std::get<ExitCode>(result) : ExitCode::kOk;
  }
};

Parsed Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "candor-training-server");
  std::ostringstream out;
  std::ostringstream err;
  Parsed parsed;
  parsed.result = ParseServiceFlags(static_cast<int>(arguments.size()), arguments.data(), out, err);
  parsed.out = out.str();
  parsed.err = err.str();
  return parsed;
}

TEST(ServiceFlagsTest, RunsIsAllItNeeds) {
  const Parsed parsed = Parse({"--runs", "runs"});
  ASSERT_TRUE(std::holds_alternative<ServiceFlags>(parsed.result)) << parsed.err;
  EXPECT_EQ(std::get<ServiceFlags>(parsed.result).listen, "127.0.0.1:8600");
  EXPECT_EQ(std::get<ServiceFlags>(parsed.result).executor, "local");
}

TEST(ServiceFlagsTest, HelpAndVersionAreNoErrors) {
  EXPECT_THAT(Parse({"--help"}).out, HasSubstr("--model-repository"));
  EXPECT_THAT(Parse({"--version"}).out, HasSubstr("candor-training-server 0"));
  EXPECT_EQ(Parse({"--help"}).code(), ExitCode::kOk);
}

TEST(ServiceFlagsTest, WhatDoesNotFitIsAUsageErrorOnOneLine) {
  const struct {
    std::vector<const char*> arguments;
    const char* said;
  } cases[] = {
      {{}, "--runs is required"},
      {{"--runs", "r", "--executor", "ray"}, "ray"},
      {{"--runs", "r", "--executor", "slurm"}, "--submit: is required"},
      {{"--runs", "r", "--at-once", "0"}, "--at-once"},
      {{"--runs", "r", "--tls-cert", "c"}, "--tls-cert and --tls-key"},
      {{"--runs", "r", "--tls-client-ca", "c"}, "--tls-client-ca: needs"},
      {{"--runs", "r", "--listen", "0.0.0.0:8600"}, "not loopback"},
      {{"--runs", "r", "--listen", "0.0.0.0:8600", "--tls-cert", "c", "--tls-key", "k"}, "not loopback"},
      {{"--runs", "r", "--listen", "0.0.0.0:8600", "--token-file", "t"}, "--token-file: needs --tls-cert"},
      {{"--runs", "r", "--listen", "0.0.0.0:8600", "--token-file", "t", "--insecure"}, "--token-file: needs"},
  };
  for (const auto& c : cases) {
    const Parsed parsed = Parse(c.arguments);
    EXPECT_EQ(parsed.code(), ExitCode::kUsage) << c.said;
    EXPECT_THAT(parsed.err, HasSubstr(c.said));
    EXPECT_EQ(std::count(parsed.err.begin(), parsed.err.end(), '\n'), 1) << parsed.err;
  }
}

TEST(ServiceFlagsTest, OtherAddressesNeedCertificatesTokensOrAWord) {
  EXPECT_TRUE(
      std::holds_alternative<ServiceFlags>(Parse({"--runs", "r", "--listen", "0.0.0.0:1", "--insecure"}).result));
  EXPECT_TRUE(std::holds_alternative<ServiceFlags>(
      Parse({"--runs", "r", "--listen", "0.0.0.0:1", "--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "a"})
          .result));
  EXPECT_TRUE(std::holds_alternative<ServiceFlags>(
      Parse({"--runs", "r", "--listen", "0.0.0.0:1", "--tls-cert", "c", "--tls-key", "k", "--token-file", "t"})
          .result));
  EXPECT_TRUE(std::holds_alternative<ServiceFlags>(Parse({"--runs", "r", "--listen", "[::1]:0"}).result));
  EXPECT_TRUE(std::holds_alternative<ServiceFlags>(
      Parse({"--runs", "r", "--listen", "127.0.0.1:0", "--token-file", "t"}).result));
}

}  // namespace
}  // namespace candor
