// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/html.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(EscapeHtmlTest, MarkupBecomesText) {
  EXPECT_EQ(EscapeHtml("<script>alert('a' + \"b\")</script> & co"),
            "&lt;script&gt;alert(&#39;a&#39; + &quot;b&quot;)&lt;/script&gt; &amp; co");
}

TEST(EscapeHtmlTest, LettersOfOtherScriptsStay) { EXPECT_EQ(EscapeHtml("Straße 道路 🚲"), "Straße 道路 🚲"); }

TEST(EscapeHtmlTest, WhatXmlCannotHoldIsReplaced) {
  EXPECT_EQ(EscapeHtml(std::string("a\0b\x1B\x7F", 5)), "a\uFFFDb\uFFFD\uFFFD");
  EXPECT_EQ(EscapeHtml("\xC3("), "\uFFFD(");                              // cut short
  EXPECT_EQ(EscapeHtml("\xC0\xAF"), "\uFFFD\uFFFD");                      // overlong
  EXPECT_EQ(EscapeHtml("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // surrogate
  EXPECT_EQ(EscapeHtml("\xEF\xBF\xBF"), "\uFFFD\uFFFD\uFFFD");            // U+FFFF
  EXPECT_EQ(EscapeHtml("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(EscapeHtml("tab\tline\n"), "tab\tline\n");
}

TEST(DecimalTest, DigitsAreFixed) {
  EXPECT_EQ(Decimal(0.1065, 3), "0.106");  // the nearest double is below the tie
  EXPECT_EQ(Decimal(12, 0), "12");
  EXPECT_EQ(Decimal(-0.25, 1), "\u22120.2");  // ties to even
}

TEST(DecimalTest, ThereIsNoNegativeZero) {
  EXPECT_EQ(Decimal(-0.0004, 3), "0.000");
  EXPECT_EQ(SignedDecimal(-0.0004, 3), "0.000");
  EXPECT_EQ(SignedDecimal(0.0004, 3), "0.000");
}

TEST(DecimalTest, WhatIsNoNumberIsADash) {
  EXPECT_EQ(Decimal(std::nan(""), 3), "\u2013");
  EXPECT_EQ(SignedDecimal(std::numeric_limits<double>::infinity(), 3), "\u2013");
  EXPECT_EQ(Percent(std::nan("")), "\u2013");
}

TEST(DecimalTest, SignsAreShownOnRequest) {
  EXPECT_EQ(SignedDecimal(0.028, 3), "+0.028");
  EXPECT_EQ(SignedDecimal(-0.028, 3), "\u22120.028");
}

TEST(CountTest, DigitsStandInThrees) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(999), "999");
  EXPECT_EQ(Count(1000), "1\u202F000");
  EXPECT_EQ(Count(123456789), "123\u202F456\u202F789");
  EXPECT_EQ(Count(-1234), "\u22121\u202F234");
}

// RFC 4648, section 10.
TEST(DataUriTest, BytesAreBase64) { EXPECT_EQ(DataUri("image/png", "foobar"), "data:image/png;base64,Zm9vYmFy"); }

}  // namespace
}  // namespace candor
