// SPDX-License-Identifier: Apache-2.0
#include "security/authorizer.h"

#include <string>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kHere[] = "ipv4:127.0.0.1:4711";
constexpr char kElsewhere[] = "ipv4:192.0.2.7:4711";
constexpr char kTokens[] = "infer robot-0123456789abcdef\nadmin operator-0123456789ab\n";
constexpr absl::StatusCode kUnauthenticated = absl::StatusCode::kUnauthenticated;
constexpr absl::StatusCode kDenied = absl::StatusCode::kPermissionDenied;

TEST(AuthorizerTest, WithoutTokensAnyoneInfersAndThisMachineAdministrates) {
  const auto authorizer = Authorizer::Create("");
  ASSERT_THAT(authorizer, IsOk());
  EXPECT_THAT((*authorizer)->Check(std::nullopt, kElsewhere, Role::kInfer), IsOk());
  for (const char* peer : {kHere, "ipv4:127.1.2.3:1", "ipv6:[::1]:1", "ipv6:%5B::1%5D:1", "unix:/run/x"}) {
    EXPECT_THAT((*authorizer)->Check(std::nullopt, peer, Role::kAdmin), IsOk()) << peer;
  }
  for (const char* peer : {kElsewhere, "ipv6:[2001:db8::1]:1", "ipv6:[::11]:1", "ipv4:10.127.0.0:1", "unknown", ""}) {
    EXPECT_THAT((*authorizer)->Check(std::nullopt, peer, Role::kAdmin), HasStatus(kDenied, HasSubstr("token_file")))
        << peer;
  }
}

TEST(AuthorizerTest, TokensDecideWhereverTheCallerIs) {
  const TemporaryFolder folder;
  WriteContents(folder.File("tokens"), kTokens);
  const auto authorizer = Authorizer::Create(folder.File("tokens"));
  ASSERT_THAT(authorizer, IsOk());
  for (const char* peer : {kHere, kElsewhere}) {
    const auto check = [&](const char* authorization, Role role) {
      return (*authorizer)->Check(authorization, peer, role);
    };
    EXPECT_THAT(check("Bearer robot-0123456789abcdef", Role::kInfer), IsOk());
    EXPECT_THAT(check("bearer operator-0123456789ab", Role::kInfer), IsOk());
    EXPECT_THAT(check("Bearer operator-0123456789ab", Role::kAdmin), IsOk());
    EXPECT_THAT(check("Bearer robot-0123456789abcdef", Role::kAdmin),
                HasStatus(kDenied, AllOf(HasSubstr("infer"), HasSubstr("admin"))));
    EXPECT_THAT(check("Bearer nobody-0123456789abcdef", Role::kInfer),
                HasStatus(kUnauthenticated, HasSubstr("unknown")));
    EXPECT_THAT(check("Bearer nobody-0123456789abcdef", Role::kAdmin),
                HasStatus(kUnauthenticated, HasSubstr("unknown")));
    EXPECT_THAT(check("robot-0123456789abcdef", Role::kInfer), HasStatus(kUnauthenticated, HasSubstr("Bearer")));
    EXPECT_THAT((*authorizer)->Check(std::nullopt, peer, Role::kInfer),
                HasStatus(kUnauthenticated, HasSubstr("Bearer")));
  }
}

TEST(AuthorizerTest, ReadsTheFileAgainWhenItChanges) {
  const TemporaryFolder folder;
  const std::string path = folder.File("tokens");
  WriteContents(path, "infer robot-0123456789abcdef\n");
  const auto authorizer = Authorizer::Create(path);
  ASSERT_THAT(authorizer, IsOk());
  const auto check = [&](const char* authorization) {
    return (*authorizer)->Check(authorization, kHere, Role::kInfer);
  };
  EXPECT_THAT(check("Bearer robot-0123456789abcdef"), IsOk());
  WriteContents(path, "infer other-0123456789abcdef\n");  // the same length, perhaps within the same clock tick
  EXPECT_THAT(check("Bearer robot-0123456789abcdef"), HasStatus(kUnauthenticated, HasSubstr("unknown")));
  EXPECT_THAT(check("Bearer other-0123456789abcdef"), IsOk());
  WriteContents(path, "infer sh");
  EXPECT_THAT(check("Bearer other-0123456789abcdef"), IsOk()) << "a broken file leaves the old tokens valid";
  std::filesystem::remove(path);
  EXPECT_THAT(check("Bearer other-0123456789abcdef"), IsOk()) << "so does a missing one";
}

TEST(AuthorizerTest, ABadFileIsNamedAtTheStart) {
  const TemporaryFolder folder;
  EXPECT_THAT(Authorizer::Create(folder.File("none")),
              HasStatus(absl::StatusCode::kNotFound, AllOf(StartsWith("token_file: "), HasSubstr("none"))));
  WriteContents(folder.File("bad"), "infer short\n");
  EXPECT_THAT(Authorizer::Create(folder.File("bad")),
              HasStatus(absl::StatusCode::kInvalidArgument, AllOf(StartsWith("token_file: "), HasSubstr("line 1"))));
}

}  // namespace
}  // namespace candor
