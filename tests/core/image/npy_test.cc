// SPDX-License-Identifier: Apache-2.0
//
// The file NumPy itself writes for such arrays, byte by byte (numpy.lib.format, version 1.0), and files it would not.
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/image/encode.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

// A file of this header text and these data.
std::string File(const std::string& header, const std::string& data, char version = 1) {
  std::string file = std::string("\x93NUMPY") + version + '\0' + static_cast<char>(header.size()) +
                     static_cast<char>(header.size() >> 8);
  if (version != 1) file += std::string(2, '\0');
  return file + header + data;
}

const std::string kTwoByThree = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";

TEST(NpyTest, WritesTheFormatOfNumPy) {
  const FloatMap map{3, 2, {0.0f, 1.0f, -2.0f, 0.5f, 65536.0f, 1.5f}};
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string expected = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dictionary +
                               std::string(117 - dictionary.size(), ' ') + "\n" +
                               std::string("\0\0\0\0\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f\0\0\x80\x47\0\0\xc0\x3f", 24);
  EXPECT_EQ(EncodeNpy(map), expected);
}

TEST(NpyTest, ValuesStartAtAMultipleOf64) {
  for (int side : {1, 9, 10, 99, 1000, 100000}) {
    const std::string npy = EncodeNpy(FloatMap{side, 1, std::vector<float>(static_cast<size_t>(side))});
    EXPECT_EQ((npy.size() - static_cast<size_t>(side) * 4) % 64, 0u) << side;
  }
}

TEST(NpyTest, RoundTripKeepsEveryBit) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const FloatMap map{2, 3, {0.1f, -0.0f, nan, INFINITY, 1e-45f, 3.4e38f}};
  const auto read = DecodeNpy(EncodeNpy(map));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->width, 2);
  EXPECT_EQ(read->height, 3);
  ASSERT_EQ(read->values.size(), 6u);
  // Bit for bit: the values may hold NaN and -0.
  // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
  EXPECT_EQ(std::memcmp(read->values.data(), map.values.data(), 24), 0);
}

TEST(NpyTest, EmptyArraysAreRead) {
  const auto read = DecodeNpy(File("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }\n", ""));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->height, 0);
  EXPECT_TRUE(read->values.empty());
}

TEST(NpyTest, LaterVersionsAndOtherSpacingAreRead) {
  EXPECT_THAT(DecodeNpy(File(kTwoByThree, std::string(24, '\0'), 2)), IsOk());
  EXPECT_THAT(DecodeNpy(File("{'descr':'<f4','fortran_order':False,'shape':(2,3)}", std::string(24, '\0'))), IsOk());
}

TEST(NpyTest, OtherArraysAreRefused) {
  const std::string data(24, '\0');
  const auto header = [](const char* type, const char* order, const char* shape) {
    return std::string("{'descr': '") + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  };
  for (const char* type : {">f4", "<f8", "|u1", "<i4"}) {
    EXPECT_THAT(DecodeNpy(File(header(type, "False", "(2, 3)"), data)),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("<f4")));
  }
  EXPECT_THAT(DecodeNpy(File(header("<f4", "True", "(2, 3)"), data)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("order must be C")));
  for (const char* shape : {"(6,)", "()", "(1, 2, 3)", "(-2, -3)", "(2, x)", "(99999999999, 1)", "2, 3"}) {
    EXPECT_THAT(DecodeNpy(File(header("<f4", "False", shape), data)),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("shape")))
        << shape;
  }
}

TEST(NpyTest, ShapeMustFitTheData) {
  for (size_t size : {0, 20, 23, 25, 28}) {
    EXPECT_THAT(DecodeNpy(File(kTwoByThree, std::string(size, '\0'))),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("needs 6 values")))
        << size;
  }
  EXPECT_THAT(DecodeNpy(File("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647), }\n", "")),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("needs 4611686014132420609 values")));
}

TEST(NpyTest, EveryCutIsRefused) {
  const std::string npy = EncodeNpy(FloatMap{3, 2, std::vector<float>(6, 1.0f)});
  for (size_t size = 0; size < npy.size(); ++size) {
    EXPECT_THAT(DecodeNpy(std::string(npy, 0, size)), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("npy:")));
  }
  EXPECT_THAT(DecodeNpy(File(kTwoByThree, std::string(24, '\0'), 4)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("version must be 1 to 3, got 4")));
}

}  // namespace
}  // namespace candor
