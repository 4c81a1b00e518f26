// SPDX-License-Identifier: Apache-2.0
//
// Shared memory that clients name, cut short and take away.
#include "server/kserve/shared_regions.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/server/kserve/shared_file.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

MATCHER_P(IsOkAndHolds, value, "is OK and holds that") {
  *result_listener << arg.status().ToString();
  return arg.ok() && testing::ExplainMatchResult(value, *arg, result_listener);
}

TEST(SharedRegionsTest, ReadsAndWritesInsideTheRegion) {
  const SharedFile file("0123456789");
  SharedRegions regions;
  ASSERT_THAT(regions.Register({"r", file.key(), 2, 6}), IsOk());
  EXPECT_THAT(regions.Read({"r", 1, 3}), IsOkAndHolds("345"));
  EXPECT_THAT(regions.Read({"r", 0, 6}), IsOkAndHolds("234567"));
  ASSERT_THAT(regions.Write({"r", 4, 2}, 0, "ab"), IsOk());
  EXPECT_EQ(file.Contents(10), "012345ab89");
}

TEST(SharedRegionsTest, NothingGoesBeyondTheRegion) {
  const SharedFile file("0123456789");
  SharedRegions regions;
  ASSERT_THAT(regions.Register({"r", file.key(), 2, 6}), IsOk());
  constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();
  for (const SharedTensor& tensor : {SharedTensor{"r", 0, 7}, SharedTensor{"r", 6, 1}, SharedTensor{"r", 7, 0},
                                     SharedTensor{"r", kHuge, 2}, SharedTensor{"r", 1, kHuge}}) {
    EXPECT_THAT(regions.Read(tensor), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("beyond the 6 bytes")));
    EXPECT_THAT(regions.Write(tensor, 0, ""), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("beyond the 6")));
  }
  EXPECT_THAT(regions.Write({"r", 0, 2}, 0, "abc"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("the output needs 3 bytes")));
  EXPECT_EQ(file.Contents(10), "0123456789");
}

TEST(SharedRegionsTest, AFileThatIsCutShortIsAnError) {
  const SharedFile file(std::string(100000, 'x'));
  SharedRegions regions;
  ASSERT_THAT(regions.Register({"r", file.key(), 0, 100000}), IsOk());
  file.Cut(50000);
  EXPECT_THAT(regions.Read({"r", 0, 100000}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("cut to 50000 bytes")));
  EXPECT_THAT(regions.Write({"r", 49999, 2}, 0, "ab"),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("cut to 50000 bytes")));
  EXPECT_THAT(regions.Read({"r", 0, 50000}), IsOkAndHolds(SizeIs(50000)));
}

TEST(SharedRegionsTest, NamesAndKeysAreChecked) {
  const SharedFile file("0123456789");
  SharedRegions regions;
  const auto refuses = [&](const SharedRegions::Region& region, absl::StatusCode code, const std::string& text) {
    EXPECT_THAT(regions.Register(region), HasStatus(code, HasSubstr(text))) << region.key;
  };
  refuses({"", file.key(), 0, 1}, absl::StatusCode::kInvalidArgument, "name: ");
  refuses({"a b", file.key(), 0, 1}, absl::StatusCode::kInvalidArgument, "name: ");
  for (const char* key : {"", "/", "..", "/..", "/../etc/passwd", "a/b", "//x"}) {
    refuses({"r", key, 0, 1}, absl::StatusCode::kInvalidArgument, "key: must be");
  }
  refuses({"r", "/candor-test-nothing", 0, 1}, absl::StatusCode::kNotFound, "candor-test-nothing");
  refuses({"r", file.key(), 0, 11}, absl::StatusCode::kInvalidArgument, "inside the 10 bytes");
  refuses({"r", file.key(), 11, 1}, absl::StatusCode::kInvalidArgument, "inside the 10 bytes");
  refuses({"r", file.key(), 10, 0}, absl::StatusCode::kInvalidArgument, "not empty");
  refuses({"r", file.key(), 2, std::numeric_limits<uint64_t>::max()}, absl::StatusCode::kInvalidArgument, "inside");
  ASSERT_THAT(regions.Register({"r", file.key(), 0, 10}), IsOk());
  refuses({"r", file.key(), 0, 10}, absl::StatusCode::kAlreadyExists, "'r'");
}

TEST(SharedRegionsTest, ListsAndForgets) {
  const SharedFile file("0123456789");
  SharedRegions regions;
  ASSERT_THAT(regions.Register({"a", file.key().substr(1), 0, 4}), IsOk());
  ASSERT_THAT(regions.Register({"b", file.key(), 4, 4}), IsOk());
  EXPECT_THAT(regions.List(""), IsOkAndHolds(SizeIs(2)));
  const auto b = regions.List("b");
  ASSERT_THAT(b, IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ((*b)[0].offset, 4u);
  regions.Unregister("a");
  regions.Unregister("a");
  EXPECT_THAT(regions.List("a"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("\"a\"")));
  EXPECT_THAT(regions.Read({"a", 0, 1}), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("\"a\"")));
  regions.Unregister("");
  EXPECT_THAT(regions.List(""), IsOkAndHolds(SizeIs(0)));
}

TEST(SharedRegionsTest, TheyAreBounded) {
  const SharedFile file("0");
  SharedRegions regions;
  for (size_t i = 0; i < SharedRegions::kMostRegions; ++i) {
    ASSERT_THAT(regions.Register({absl::StrCat(i), file.key(), 0, 1}), IsOk());
  }
  EXPECT_THAT(regions.Register({"more", file.key(), 0, 1}),
              HasStatus(absl::StatusCode::kResourceExhausted, HasSubstr("256")));
}

}  // namespace
}  // namespace candor
