// SPDX-License-Identifier: Apache-2.0
#include "core/image/run_lengths.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(EncodeRunsTest, WritesLengthAndValue) {
  EXPECT_EQ(EncodeRuns(std::vector<uint8_t>{7, 7, 7, 0, 255}), std::string("\3\7\1\0\1\xFF", 6));
  EXPECT_EQ(EncodeRuns({}), "");
}

TEST(EncodeRunsTest, LongLengthsAreVarints) {
  EXPECT_EQ(EncodeRuns(std::vector<uint8_t>(127, 5)), "\x7F\5");
  EXPECT_EQ(EncodeRuns(std::vector<uint8_t>(128, 5)), "\x80\1\5");
  EXPECT_EQ(EncodeRuns(std::vector<uint8_t>(300, 5)), "\xAC\2\5");  // protobuf's own example of 300
}

TEST(EncodeRunsTest, NeedsAtMostTwoBytesAValue) {
  std::vector<uint8_t> stripes;
  for (int i = 0; i < 1000; ++i) stripes.push_back(static_cast<uint8_t>(i % 2));
  EXPECT_EQ(EncodeRuns(stripes).size(), 2000u);
}

TEST(DecodeRunsTest, IsTheInverse) {
  std::vector<uint8_t> values;
  uint32_t state = 1;
  for (int run = 0; run < 2000; ++run) {  // runs of 1 to 1024 values
    state = state * 1664525 + 1013904223;
    values.insert(values.end(), size_t{1} << (state >> 24) % 11, static_cast<uint8_t>(state >> 16));
  }
  const auto decoded = DecodeRuns(EncodeRuns(values), static_cast<int64_t>(values.size()));
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(*decoded, values);
  EXPECT_THAT(DecodeRuns("", 0), IsOk());
}

TEST(DecodeRunsTest, RefusesWhatIsNotWrittenSo) {
  const auto decode = [](const std::string& bytes) { return DecodeRuns(bytes, 4); };
  EXPECT_THAT(decode(std::string("\4\0", 2)), IsOk());
  EXPECT_THAT(decode(""), HasStatus(kInvalid, HasSubstr("must hold 4 values, holds 0")));
  EXPECT_THAT(decode("\3\1"), HasStatus(kInvalid, HasSubstr("holds 3")));
  EXPECT_THAT(decode("\5\1"), HasStatus(kInvalid, HasSubstr("a run of 5 values where 4 of 4 are left")));
  EXPECT_THAT(decode("\3\1\2\2"), HasStatus(kInvalid, HasSubstr("byte 2: a run of 2 values where 1 of 4")));
  EXPECT_THAT(decode("\2\1\2\1"), HasStatus(kInvalid, HasSubstr("byte 2: must have another value")));
  EXPECT_THAT(decode(std::string("\0\1\4\2", 4)), HasStatus(kInvalid, HasSubstr("byte 0: ")));
  EXPECT_THAT(decode("\4"), HasStatus(kInvalid, HasSubstr("byte 0: ")));
  EXPECT_THAT(decode("\x84"), HasStatus(kInvalid, HasSubstr("byte 0: ")));
  EXPECT_THAT(decode(std::string("\x84\0\1", 3)), HasStatus(kInvalid, HasSubstr("byte 0: ")));  // 4, not shortest
  EXPECT_THAT(decode("\xFF\xFF\xFF\xFF\xFF\xFF\1\1"), HasStatus(kInvalid, HasSubstr("byte 0: ")));
  EXPECT_THAT(decode("\xFF\xFF\xFF\xFF\x7F\1"), HasStatus(kInvalid, HasSubstr("values where 4 of 4")));
}

// Sizes that no memory can hold, as a hostile server may send them.
TEST(DecodeRunsTest, ACountThatTheRunsDoNotReachTakesNoMemory) {
  for (const int64_t count : {int64_t{1} << 40, std::numeric_limits<int64_t>::max()}) {
    EXPECT_THAT(DecodeRuns("\3\1", count), HasStatus(kInvalid, HasSubstr("values, holds 3")));
  }
}

}  // namespace
}  // namespace candor
