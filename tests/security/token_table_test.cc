// SPDX-License-Identifier: Apache-2.0
#include "security/token_table.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr char kOne[] = "one-0123456789abcdef";
constexpr char kTwo[] = "two-0123456789abcdef";

TEST(TokenTableTest, KnowsTheRoleOfEachToken) {
  const auto table = TokenTable::Parse(absl::StrCat("# robots\n\n  infer ", kOne, "\r\nadmin\t", kTwo));
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->Find(kOne), Role::kInfer);
  EXPECT_EQ(table->Find(kTwo), Role::kAdmin);
}

TEST(TokenTableTest, NothingElseIsAToken) {
  const auto table = TokenTable::Parse(absl::StrCat("infer ", kOne));
  ASSERT_THAT(table, IsOk());
  for (const std::string& token : {std::string(), std::string("one-0123456789abcde"), absl::StrCat(kOne, "g"),
                                   absl::StrCat(" ", kOne), std::string("ONE-0123456789ABCDEF"), std::string(kTwo)}) {
    EXPECT_EQ(table->Find(token), std::nullopt) << token;
  }
}

TEST(TokenTableTest, RefusesWhatItCannotKeepAndNamesTheLine) {
  const struct {
    std::string text;
    const char* message;
  } cases[] = {
      {"", "has no token"},
      {"# infer 0123456789abcdef\n", "has no token"},
      {absl::StrCat("\nread ", kOne), "line 2: must be \"infer TOKEN\" or \"admin TOKEN\""},
      {kOne, "line 1: must be"},
      {absl::StrCat("infer ", kOne, " # mine"), "line 1: must be"},
      {"infer 0123456789abcde", "line 1: the token must be 16 to 512"},
      {absl::StrCat("infer ", std::string(513, 'a')), "line 1: the token must be 16 to 512"},
      {"infer 0123456789abcde\xc3\xa9", "line 1: the token must be"},
      {absl::StrCat("infer ", kOne, "\nadmin ", kOne), "line 2: the token is listed twice"},
  };
  for (const auto& test : cases) {
    EXPECT_THAT(TokenTable::Parse(test.text), HasStatus(kInvalid, StartsWith(test.message))) << test.text;
  }
}

TEST(TokenTableTest, ItsErrorsNeverTellAToken) {
  const auto table = TokenTable::Parse(absl::StrCat("secret-", kOne, " infer\n"));
  EXPECT_THAT(table, HasStatus(kInvalid, HasSubstr("line 1")));
  EXPECT_FALSE(absl::StrContains(table.status().message(), "secret"));
}

}  // namespace
}  // namespace candor
