// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "core/base/file.h"
#include "core/model/safetensors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/raw_safetensors.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

NamedTensor Bytes(const std::string& name, const std::string& data) {
  return {name, DType::kU8, {static_cast<int64_t>(data.size())}, data};
}

TEST(SerializeSafetensorsTest, WritesTheBytesOfTheFormat) {
  TensorFile file;
  file.tensors = {Bytes("b", "xy"), {"a", DType::kF16, {1, 2}, std::string("\x00\x3C\x00\xC0", 4)}};
  std::string header = R"({"a":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},)"
                       R"("b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})";
  header.resize(112, ' ');  // 108 characters, padded to a multiple of 8
  EXPECT_EQ(*SerializeSafetensors(file), RawSafetensors(112, header + std::string("\x00\x3C\x00\xC0xy", 6)));
}

TEST(SerializeSafetensorsTest, WritesWhatThePythonPackageWrites) {
  const auto bytes = ReadFile(CANDOR_SOURCE_DIR "/tests/golden/python.safetensors", 4096);
  ASSERT_THAT(bytes, IsOk());
  auto file = ParseSafetensors(*bytes);
  ASSERT_THAT(file, IsOk());
  std::reverse(file->tensors.begin(), file->tensors.end());
  EXPECT_EQ(*SerializeSafetensors(*file), *bytes);
}

TEST(SerializeSafetensorsTest, WritesAFileWithoutTensors) {
  EXPECT_EQ(*SerializeSafetensors({}), RawSafetensors(8, "{}      "));
}

TEST(SerializeSafetensorsTest, EscapesNames) {
  TensorFile file;
  file.tensors = {Bytes("a\"\n\\", "x")};
  const auto bytes = SerializeSafetensors(file);
  ASSERT_THAT(bytes, IsOk());
  EXPECT_EQ(ParseSafetensors(*bytes)->tensors[0].name, "a\"\n\\");
}

TEST(SerializeSafetensorsTest, RefusesRepeatedAndReservedNames) {
  TensorFile file;
  file.tensors = {Bytes("a", "x"), {"a", DType::kF32, {0}, ""}};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, "a: name comes twice"));
  file.tensors = {Bytes("__metadata__", "x")};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, "__metadata__: is a reserved name"));
}

TEST(SerializeSafetensorsTest, RefusesDataOfAnotherSizeThanTheShape) {
  TensorFile file;
  file.tensors = {{"a", DType::kF32, {2, 2}, std::string(15, 'x')}};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, "a: must have the 16 bytes of its shape, has 15"));
  file.tensors = {{"a", DType::kF32, {-1}, ""}};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, "a: shape must be of 0 to 2^63 bytes, is [-1]"));
  file.tensors = {{"a", DType::kF32, {int64_t{1} << 62}, ""}};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, HasSubstr("a: shape must be of 0 to 2^63 bytes")));
}

TEST(SerializeSafetensorsTest, RefusesWhatTheReaderWouldRefuse) {
  TensorFile file;
  file.tensors = {Bytes(std::string(257, 'n'), "x")};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, HasSubstr("at most 256 bytes, has 257")));
  file.tensors = {Bytes("\xFF", "x")};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, HasSubstr("name must be UTF-8")));
  file.tensors.clear();
  for (int i = 0; i <= 10000; ++i) file.tensors.push_back(Bytes(std::to_string(i), ""));
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, "tensors: must be at most 10000, are 10001"));
  file.tensors.clear();
  file.metadata = {{"k", "\xFF"}};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, "__metadata__.k: must be UTF-8"));
  file.metadata = {{"k", std::string(1 << 20, 'x')}};
  EXPECT_THAT(SerializeSafetensors(file), HasStatus(kInvalid, HasSubstr("header: must have at most 1048576 bytes")));
}

}  // namespace
}  // namespace candor
