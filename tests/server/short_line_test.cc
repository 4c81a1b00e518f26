// SPDX-License-Identifier: Apache-2.0
#include "server/short_line.h"

#include <string>

#include "gmock/gmock.h"

namespace candor {
namespace {

std::string MessageOf(const std::string& text) { return ShortLine(text, 1024); }

TEST(ShortLineTest, ShortTextPassesUnchanged) {
  EXPECT_EQ(MessageOf("image.raw.width: must be >= 1, got 0"), "image.raw.width: must be >= 1, got 0");
  EXPECT_EQ(MessageOf("Gr\xC3\xB6\xC3\x9F"
                      "e \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "Gr\xC3\xB6\xC3\x9F"
            "e \xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(ShortLineTest, LongMessagesAreCutAt1024Bytes) {
  EXPECT_EQ(MessageOf(std::string(1024, 'x')), std::string(1024, 'x'));
  EXPECT_EQ(MessageOf(std::string(5000, 'x')), std::string(1024, 'x'));
}

TEST(ShortLineTest, TheCutNeverSplitsACharacter) {
  // 1,023 bytes, then a character of two: it has no room.
  EXPECT_EQ(MessageOf(std::string(1023, 'x') + "\xC3\xB6"), std::string(1023, 'x'));
  EXPECT_EQ(MessageOf(std::string(1022, 'x') + "\xC3\xB6"), std::string(1022, 'x') + "\xC3\xB6");
}

TEST(ShortLineTest, BytesThatAreNoUtf8BecomeQuestionMarks) {
  EXPECT_EQ(MessageOf("a\xFF"
                      "b"),
            "a?b");
  EXPECT_EQ(MessageOf("a\xC3"), "a?");               // cut character
  EXPECT_EQ(MessageOf("\xC0\x80"), "??");            // overlong NUL
  EXPECT_EQ(MessageOf("\xED\xA0\x80"), "???");       // surrogate
  EXPECT_EQ(MessageOf("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
}

TEST(ShortLineTest, TheMessageIsOneLine) { EXPECT_EQ(MessageOf("a\nb\r\nc"), "a b  c"); }

}  // namespace
}  // namespace candor
