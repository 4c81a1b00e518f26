// SPDX-License-Identifier: Apache-2.0
#include "core/model/safetensors.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TensorFile FloatFile(const std::vector<float>& values) {
  std::string data(values.size() * sizeof(float), '\0');
  std::memcpy(data.data(), values.data(), data.size());
  TensorFile file;
  file.tensors = {{"counter", DType::kI64, {}, "12345678"},
                  {"w", DType::kF32, {static_cast<int64_t>(values.size())}, data}};
  return file;
}

std::vector<uint16_t> Patterns(const NamedTensor& tensor) {
  std::vector<uint16_t> patterns(tensor.data.size() / 2);
  std::memcpy(patterns.data(), tensor.data.data(), tensor.data.size());
  return patterns;
}

TEST(DTypeTest, HasTheFormatsNamesAndSizes) {
  EXPECT_EQ(DTypeName(DType::kBF16), "BF16");
  EXPECT_EQ(DTypeName(DType::kI64), "I64");
  EXPECT_EQ(DTypeBytes(DType::kF32), 4);
  EXPECT_EQ(DTypeBytes(DType::kF16), 2);
  EXPECT_EQ(DTypeBytes(DType::kBF16), 2);
  EXPECT_EQ(DTypeBytes(DType::kI64), 8);
  EXPECT_EQ(DTypeBytes(DType::kU8), 1);
}

TEST(ToFloatsTest, RefusesIntegers) {
  const NamedTensor bytes{"labels", DType::kU8, {1}, "x"};
  EXPECT_THAT(bytes.ToFloats(), HasStatus(kInvalid, "labels: must be F32, F16 or BF16, is U8"));
  const NamedTensor count{"count", DType::kI64, {}, "12345678"};
  EXPECT_THAT(count.ToFloats(), HasStatus(kInvalid, "count: must be F32, F16 or BF16, is I64"));
}

// Half: 1 = 0x3C00, steps of 2^-10 above it; 1 + 2^-11 is half way and goes to the even 1, 1 + 3 * 2^-11 to 0x3C02.
TEST(ConvertFloatsTest, RoundsToHalfTiesToEven) {
  TensorFile file = FloatFile(
      {1.0f, 1.0f + std::ldexp(1.0f, -11), 1.0f + std::ldexp(3.0f, -11), -2.0f, 65504.0f, std::ldexp(1.0f, -24)});
  ASSERT_THAT(ConvertFloats(DType::kF16, &file), IsOk());
  EXPECT_EQ(file.tensors[1].dtype, DType::kF16);
  EXPECT_THAT(file.tensors[1].shape, ElementsAre(6));
  EXPECT_THAT(Patterns(file.tensors[1]), ElementsAre(0x3C00, 0x3C00, 0x3C02, 0xC000, 0x7BFF, 0x0001));
}

// Bfloat16: 1 = 0x3F80, steps of 2^-7 above it.
TEST(ConvertFloatsTest, RoundsToBfloat16TiesToEven) {
  TensorFile file = FloatFile({1.0f, 1.0f + std::ldexp(1.0f, -8), 1.0f + std::ldexp(3.0f, -8), 1e6f});
  ASSERT_THAT(ConvertFloats(DType::kBF16, &file), IsOk());
  // 1e6 = 0x49742400: the upper half is 0x4974, the rest is less than a half.
  EXPECT_THAT(Patterns(file.tensors[1]), ElementsAre(0x3F80, 0x3F80, 0x3F82, 0x4974));
}

TEST(ConvertFloatsTest, WidensExactly) {
  TensorFile file;
  file.tensors = {{"h", DType::kF16, {2}, std::string("\x00\x3C\x01\x00", 4)},
                  {"b", DType::kBF16, {1}, std::string("\x49\x40", 2)}};
  ASSERT_THAT(ConvertFloats(DType::kF32, &file), IsOk());
  EXPECT_EQ(file.tensors[0].dtype, DType::kF32);
  EXPECT_THAT(*file.tensors[0].ToFloats(), ElementsAre(1.0f, std::ldexp(1.0f, -24)));
  EXPECT_THAT(*file.tensors[1].ToFloats(), ElementsAre(3.140625f));
}

TEST(ConvertFloatsTest, LeavesIntegersAlone) {
  TensorFile file = FloatFile({1.0f});
  ASSERT_THAT(ConvertFloats(DType::kF16, &file), IsOk());
  EXPECT_EQ(file.tensors[0].dtype, DType::kI64);
  EXPECT_EQ(file.tensors[0].data, "12345678");
}

TEST(ConvertFloatsTest, RefusesAFiniteValueThatOverflows) {
  TensorFile file = FloatFile({0.0f, 1e6f});
  EXPECT_THAT(ConvertFloats(DType::kF16, &file), HasStatus(kInvalid, "w: value 1 must fit F16, is 1e+06"));
  TensorFile edge = FloatFile({65520.0f});  // half way between the largest half and what would be the next: infinity
  EXPECT_THAT(ConvertFloats(DType::kF16, &edge), HasStatus(kInvalid, testing::HasSubstr("must fit F16")));
  TensorFile below = FloatFile({65519.0f});
  EXPECT_THAT(ConvertFloats(DType::kF16, &below), IsOk());
  TensorFile largest = FloatFile({std::numeric_limits<float>::max()});
  EXPECT_THAT(ConvertFloats(DType::kBF16, &largest),
              HasStatus(kInvalid, testing::HasSubstr("w: value 0 must fit BF16")));
}

TEST(ConvertFloatsTest, KeepsInfinityAndNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  TensorFile file = FloatFile({-infinity, std::numeric_limits<float>::quiet_NaN()});
  ASSERT_THAT(ConvertFloats(DType::kF16, &file), IsOk());
  const auto values = file.tensors[1].ToFloats();
  ASSERT_THAT(values, IsOk());
  EXPECT_EQ((*values)[0], -infinity);
  EXPECT_TRUE(std::isnan((*values)[1]));
}

TEST(ConvertFloatsTest, RefusesAnIntegerTarget) {
  TensorFile file;
  EXPECT_THAT(ConvertFloats(DType::kU8, &file), HasStatus(kInvalid, "dtype: must be F32, F16 or BF16, is U8"));
}

}  // namespace
}  // namespace candor
