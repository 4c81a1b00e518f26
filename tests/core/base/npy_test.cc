// SPDX-License-Identifier: Apache-2.0
#include "core/base/npy.h"

#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

// A file by the format's description (numpy.lib.format), version 1.0 unless another is asked for.
std::string File(const std::string& dictionary, const std::vector<float>& values, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  const auto length = static_cast<uint32_t>(dictionary.size());
  bytes.append(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4);
  bytes += dictionary;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return bytes;
}

std::string Dictionary(const std::string& shape) {
  return absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': ", shape, ", }   \n");
}

// numpy.save(f, numpy.array([[1, 2, 3], [4, 5, 6]], dtype='<f4')): 128 bytes of header.
TEST(NpyTest, WritesWhatNumpyWrites) {
  const float values[] = {1, 2, 3, 4, 5, 6};
  const std::string bytes = EncodeNpyArray({2, 3}, values);
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string padded = dictionary + std::string(117 - dictionary.size(), ' ') + "\n";
  EXPECT_EQ(bytes, File(padded, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(bytes.size(), 128 + sizeof(values));
}

TEST(NpyTest, EveryRankComesBack) {
  const std::vector<float> values = {0, -0.0f, 1e-45f, -1, 3e38f, 6};
  const std::vector<std::vector<int64_t>> shapes = {{}, {1}, {6}, {2, 3}, {1, 1, 6, 1}, {0}, {3, 0, 2}};
  for (const std::vector<int64_t>& shape : shapes) {
    size_t count = 1;
    for (const int64_t side : shape) count *= static_cast<size_t>(side);
    const std::string bytes = EncodeNpyArray(shape, values.data());
    EXPECT_EQ((bytes.size() - count * sizeof(float)) % 64, 0u);
    const auto array = DecodeNpyArray(bytes);
    ASSERT_THAT(array, IsOk());
    EXPECT_EQ(array->shape, shape);
    ASSERT_EQ(array->values.size(), count);
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bit for bit, -0 included
    EXPECT_TRUE(count == 0 || std::memcmp(array->values.data(), values.data(), count * sizeof(float)) == 0);
  }
}

TEST(NpyTest, VersionsTwoAndThreeAreRead) {
  for (const int version : {1, 2, 3}) {
    const auto array = DecodeNpyArray(File(Dictionary("(2,)"), {1, 2}, version));
    ASSERT_THAT(array, IsOk()) << version;
    EXPECT_THAT(array->shape, ElementsAre(2));
    EXPECT_THAT(array->values, ElementsAre(1, 2));
  }
}

TEST(NpyTest, AFileThatIsCutOffIsRefused) {
  const std::string whole = File(Dictionary("(2,)"), {1, 2});
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(DecodeNpyArray(whole.substr(0, length)), HasStatus(StatusCode::kInvalidArgument, HasSubstr("npy: ")))
        << length;
  }
  EXPECT_THAT(DecodeNpyArray(whole + "x"), HasStatus(StatusCode::kInvalidArgument, HasSubstr("needs 2 values")));
}

TEST(NpyTest, AShapeThatIsNoneIsToldInOnePrintableLine) {
  EXPECT_THAT(DecodeNpyArray(File(Dictionary("(2, \x1b[2J\t)"), {1, 2})),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr(R"(got "\x1b[2J\t")")));
}

// As many as fit the 16 bits of the length would not be written back in them, with the spaces between.
TEST(NpyTest, ArraysOfMoreThan64SidesAreRefused) {
  const auto shape_of = [](int sides) {
    std::string shape = "(";
    for (int i = 0; i < sides; ++i) shape += "1,";
    return shape + ")";
  };
  EXPECT_THAT(DecodeNpyArray(File(Dictionary(shape_of(64)), {1})), IsOk());
  EXPECT_THAT(DecodeNpyArray(File(Dictionary(shape_of(65)), {1})),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("at most 64 sides")));
}

TEST(NpyTest, OtherTypesOrdersAndVersionsAreRefused) {
  const struct {
    std::string dictionary;
    int version;
    const char* message;
  } cases[] = {
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", 1, "little-endian float32"},
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", 1, "little-endian float32"},
      {"{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }\n", 1, "little-endian float32"},
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }\n", 1, "order must be C"},
      {"{'descr': '<f4', 'fortran_order': False, }\n", 1, "no shape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': 1, }\n", 1, "no shape"},
      {"", 1, "npy: "},
      {Dictionary("(1,)"), 4, "version must be 1 to 3, got 4"},
      {Dictionary("(1,)"), 0, "version must be 1 to 3, got 0"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(DecodeNpyArray(File(c.dictionary, {1}, c.version)),
                HasStatus(StatusCode::kInvalidArgument, HasSubstr(c.message)))
        << c.dictionary;
  }
}

TEST(NpyTest, ShapesThatCannotBeAreRefused) {
  for (const char* shape : {"(-1,)", "(x,)", "(1.0,)", "(2,)", "(4611686018427387904, 4)", "(9223372036854775808,)",
                            "(4294967296, 4294967296, 4294967296)", "(1, 2, 3)"}) {
    EXPECT_THAT(DecodeNpyArray(File(Dictionary(shape), {1})),
                HasStatus(StatusCode::kInvalidArgument, HasSubstr("shape")))
        << shape;
  }
}

}  // namespace
}  // namespace candor
