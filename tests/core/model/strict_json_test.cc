// SPDX-License-Identifier: Apache-2.0
#include "core/model/strict_json.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ParseStrictJsonTest, KeepsEveryValueAndType) {
  const auto document =
      ParseStrictJson(R"({"a": [1, -2, 0.5, true, null, "\u00e9"], "b": {"c": 18446744073709551615}})", 3);
  ASSERT_THAT(document, IsOk());
  EXPECT_EQ((*document)["a"][0], 1);
  EXPECT_EQ((*document)["a"][1], -2);
  EXPECT_EQ((*document)["a"][2], 0.5);
  EXPECT_EQ((*document)["a"][3], true);
  EXPECT_TRUE((*document)["a"][4].is_null());
  EXPECT_EQ((*document)["a"][5], "é");
  EXPECT_EQ((*document)["b"]["c"], 18446744073709551615u);
}

TEST(ParseStrictJsonTest, RefusesARepeatedKeyWithItsPath) {
  EXPECT_THAT(ParseStrictJson(R"({"a": [0, {"b": 1, "c": 2, "b": 1}]})", 8),
              HasStatus(kInvalid, "a[1].b: repeated key"));
}

TEST(ParseStrictJsonTest, TheSameKeyInTwoObjectsIsNoRepetition) {
  EXPECT_THAT(ParseStrictJson(R"([{"a": 1}, {"a": {"a": 1}}])", 3), IsOk());
}

TEST(ParseStrictJsonTest, RefusesNestingBeyondTheLimitOnly) {
  EXPECT_THAT(ParseStrictJson("[[[]]]", 3), IsOk());
  EXPECT_THAT(ParseStrictJson("[[[]]]", 2), HasStatus(kInvalid, "[0][0]: nested deeper than 2 levels"));
}

TEST(ParseStrictJsonTest, AMebibyteOfBracketsEndsAtTheDepthLimit) {
  EXPECT_THAT(ParseStrictJson(std::string(1 << 20, '['), 8), HasStatus(kInvalid, HasSubstr("nested deeper")));
}

TEST(ParseStrictJsonTest, RefusesWhatIsNotJson) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "NaN", "[Infinity]", "[-]", "[01]", "{} {}",
                           "[1] x", "/* c */ 1", "\"\x01\"", "\"\\ud800\"", "\xEF\xBB\xBF{}"}) {
    EXPECT_THAT(ParseStrictJson(text, 8), HasStatus(kInvalid, HasSubstr("at byte"))) << text;
  }
}

TEST(ParseStrictJsonTest, AZeroByteDoesNotEndTheDocument) {
  EXPECT_THAT(ParseStrictJson(std::string("{}\0\0", 4), 8), HasStatus(kInvalid, "not valid JSON at byte 3"));
  EXPECT_THAT(ParseStrictJson(std::string("{\"a\0\":1}", 8), 8), HasStatus(kInvalid, "not valid JSON at byte 4"));
}

TEST(ParseStrictJsonTest, RefusesIllFormedUtf8) {
  EXPECT_THAT(ParseStrictJson("[\"\xff\"]", 8), HasStatus(kInvalid, HasSubstr("not valid UTF-8")));
  EXPECT_THAT(ParseStrictJson("[\"\xc0\xaf\"]", 8), HasStatus(kInvalid, HasSubstr("not valid UTF-8")));  // overlong
  EXPECT_THAT(ParseStrictJson("[\"\xed\xa0\x80\"]", 8),
              HasStatus(kInvalid, HasSubstr("not valid UTF-8")));  // surrogate
}

TEST(ParseStrictJsonTest, RefusesANumberBeyondDouble) {
  EXPECT_THAT(ParseStrictJson("[1e400]", 8), HasStatus(kInvalid, HasSubstr("number too large")));
}

TEST(ParseStrictJsonTest, MessagesStayShortAndOnOneLine) {
  const std::string name = std::string(100000, 'x') + "\n";
  const std::string quoted = nlohmann::json(name).dump();
  const auto repeated = ParseStrictJson("{" + quoted + ":1," + quoted + ":1}", 8);
  EXPECT_THAT(repeated, HasStatus(kInvalid, HasSubstr("...: repeated key")));
  EXPECT_LT(repeated.status().message().size(), 200u);
  EXPECT_THAT(ParseStrictJson(R"({"\n":1,"\n":2})", 8), HasStatus(kInvalid, Not(HasSubstr("\n"))));
}

TEST(CheckKeysTest, NamesTheUnknownTheMissingAndTheWrongType) {
  const nlohmann::json value = {{"a", 1}, {"c", 2}};
  EXPECT_THAT(CheckKeys(value, "x", {"a", "c"}), IsOk());
  EXPECT_THAT(CheckKeys(value, "x", {"a", "b"}), HasStatus(kInvalid, "x.c: unknown key, must be one of a, b"));
  EXPECT_THAT(CheckKeys(value, "x", {"a", "b", "c"}), HasStatus(kInvalid, "x.b: missing"));
  EXPECT_THAT(CheckKeys(nlohmann::json::array(), "x", {}), HasStatus(kInvalid, "x: must be an object, is an array"));
  EXPECT_THAT(CheckKeys(nullptr, "", {}), HasStatus(kInvalid, "top level: must be an object, is null"));
}

TEST(ReadIntegerTest, AcceptsIntegersInRangeOnly) {
  EXPECT_EQ(*ReadInteger(7, "n", 0, 7), 7);
  EXPECT_THAT(ReadInteger(8, "n", 0, 7), HasStatus(kInvalid, "n: must be an integer in [0, 7], is 8"));
  EXPECT_THAT(ReadInteger(-1, "n", 0, 7), HasStatus(kInvalid, "n: must be an integer in [0, 7], is -1"));
  EXPECT_THAT(ReadInteger(1.0, "n", 0, 7), HasStatus(kInvalid, "n: must be an integer in [0, 7], is 1.0"));
  EXPECT_THAT(ReadInteger(18446744073709551615u, "n", -1, 7), HasStatus(kInvalid, HasSubstr("18446744073709551615")));
  EXPECT_THAT(ReadInteger("1", "n", 0, 7), HasStatus(kInvalid, "n: must be an integer in [0, 7], is a string"));
  EXPECT_THAT(ReadInteger(true, "n", 0, 7), HasStatus(kInvalid, HasSubstr("is a boolean")));
}

TEST(ReadFloatTest, AcceptsWhatFitsAFloat) {
  EXPECT_EQ(*ReadFloat(0.25, "f"), 0.25f);
  EXPECT_EQ(*ReadFloat(3, "f"), 3.0f);
  EXPECT_THAT(ReadFloat(1e39, "f"), HasStatus(kInvalid, "f: must fit a 32-bit float, is 1e+39"));
  EXPECT_THAT(ReadFloat("1", "f"), HasStatus(kInvalid, "f: must be a number, is a string"));
}

TEST(ReadStringTest, AcceptsStringsOnly) {
  EXPECT_EQ(*ReadString("x", "s"), "x");
  EXPECT_THAT(ReadString(1, "s"), HasStatus(kInvalid, "s: must be a string, is a number"));
}

TEST(CheckArrayTest, NamesTheWantedSize) {
  EXPECT_THAT(CheckArray({1, 2}, "a", 2, 2), IsOk());
  EXPECT_THAT(CheckArray({1, 2}, "a", 3, 3), HasStatus(kInvalid, "a: must have 3 items, has 2"));
  EXPECT_THAT(CheckArray({1, 2}, "a", 3, 9), HasStatus(kInvalid, "a: must have 3 to 9 items, has 2"));
  EXPECT_THAT(CheckArray("x", "a", 0, 9), HasStatus(kInvalid, "a: must be an array, is a string"));
}

}  // namespace
}  // namespace candor
