// SPDX-License-Identifier: Apache-2.0
//
// Examples and rules of https://www.w3.org/TR/trace-context/.
#include "server/request_identity.h"

#include <string>

#include "gmock/gmock.h"

namespace candor {
namespace {

constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(IsRequestIdTest, TakesUpTo64VisibleCharacters) {
  EXPECT_TRUE(IsRequestId("a"));
  EXPECT_TRUE(IsRequestId("~!robot-7/frame:12"));
  EXPECT_TRUE(IsRequestId(std::string(64, 'x')));
  EXPECT_FALSE(IsRequestId(std::string(65, 'x')));
  EXPECT_FALSE(IsRequestId(""));
  EXPECT_FALSE(IsRequestId("a b"));
  EXPECT_FALSE(IsRequestId("a\n"));
  EXPECT_FALSE(IsRequestId("\x7F"));
  EXPECT_FALSE(IsRequestId("Gr\xC3\xBC\xC3\x9F"));
  EXPECT_FALSE(IsRequestId(absl::string_view("a\0b", 3)));
}

TEST(ParseTraceparentTest, ReadsTheStandardsExample) {
  const auto trace = ParseTraceparent(kExample);
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->parent_id, "00f067aa0ba902b7");
}

TEST(ParseTraceparentTest, TakesAnyFlags) {
  EXPECT_TRUE(ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
  EXPECT_TRUE(ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff"));
}

TEST(ParseTraceparentTest, LaterVersionsMayHaveMoreAfterADash) {
  EXPECT_TRUE(ParseTraceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_TRUE(ParseTraceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
  EXPECT_FALSE(ParseTraceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what"));
  EXPECT_FALSE(ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
}

TEST(ParseTraceparentTest, RefusesWhatIsMalformed) {
  for (const char* header : {
           "", "00",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   // version ff is forbidden
           "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   // not hex
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",   // upper case
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",   //
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",   // zero trace
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",   // zero parent
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",    // short
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",   // flags
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",   // dashes
           "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",   //
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",   //
           " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",  // blank
       }) {
    EXPECT_FALSE(ParseTraceparent(header).has_value()) << header;
  }
}

TEST(IdentifyRequestTest, TakesWhatTheCallerSays) {
  const RequestIdentity identity = IdentifyRequest({"robot-7"}, {kExample}, "own");
  EXPECT_EQ(identity.request_id, "robot-7");
  EXPECT_EQ(identity.trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(IdentifyRequestTest, FallsBackOnItsOwn) {
  EXPECT_EQ(IdentifyRequest({}, {}, "own").request_id, "own");
  EXPECT_EQ(IdentifyRequest({"a b"}, {}, "own").request_id, "own");
  EXPECT_EQ(IdentifyRequest({"a", "b"}, {}, "own").request_id, "own");
  EXPECT_EQ(IdentifyRequest({}, {"00-junk"}, "own").trace.trace_id, "");
  EXPECT_EQ(IdentifyRequest({}, {kExample, kExample}, "own").trace.trace_id, "");
}

}  // namespace
}  // namespace candor
