// SPDX-License-Identifier: Apache-2.0
#include "client/server_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

TEST(ParseServersTest, LeavesOneServerAndOtherTargetsAsTheyAre) {
  for (const char* server :
       {"robot.local:8500", "127.0.0.1:8500", "unix:/run/candor.sock", "ipv4:1.2.3.4:5,6.7.8.9:5"}) {
    const auto parsed = ParseServers(server);
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(parsed->target, server);
    EXPECT_FALSE(parsed->is_balanced) << server;
  }
}

TEST(ParseServersTest, BalancesListsAndNamesOfSeveralAddresses) {
  EXPECT_EQ(ParseServers("10.0.0.1:8500, 10.0.0.2:8501")->target, "ipv4:10.0.0.1:8500,10.0.0.2:8501");
  EXPECT_TRUE(ParseServers("10.0.0.1:8500,10.0.0.2:8501")->is_balanced);
  EXPECT_EQ(ParseServers("[::1]:1,[fe80::2]:2")->target, "ipv6:[::1]:1,[fe80::2]:2");
  EXPECT_EQ(ParseServers("dns:///fleet:8500")->target, "dns:///fleet:8500");
  EXPECT_TRUE(ParseServers("dns:///fleet:8500")->is_balanced);
}

TEST(ParseServersTest, NamesWhatAListMayNotHold) {
  EXPECT_THAT(ParseServers(""), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
  for (const char* bad :
       {"robot:1", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:x", "[1.2.3.4]:1", "::1:1", ""}) {
    EXPECT_THAT(ParseServers(std::string("1.2.3.4:5,") + bad),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr(std::string("got \"") + bad + "\"")));
  }
  EXPECT_THAT(ParseServers("1.2.3.4:5,[::1]:5"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("all IPv4 or all IPv6")));
}

}  // namespace
}  // namespace candor
