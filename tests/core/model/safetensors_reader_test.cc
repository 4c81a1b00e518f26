// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/model/safetensors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/raw_safetensors.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Made by hand: 144 bytes of header, then one float 1.5 (0x3FC00000) and two bytes, listed in another order than
// stored.
TEST(ParseSafetensorsTest, ReadsAFileMadeByHand) {
  std::string header = R"({"b":{"dtype":"U8","shape":[2,1],"data_offsets":[4,6]},"__metadata__":{"k":"v"},)"
                       R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";
  header.resize(144, ' ');
  const auto file = ParseSafetensors(RawSafetensors(144, header + std::string("\x00\x00\xC0\x3F\x07\xFF", 6)));
  ASSERT_THAT(file, IsOk());
  ASSERT_EQ(file->tensors.size(), 2u);
  EXPECT_EQ(file->tensors[0].name, "a");
  EXPECT_EQ(file->tensors[0].dtype, DType::kF32);
  EXPECT_THAT(file->tensors[0].shape, IsEmpty());
  EXPECT_EQ(file->tensors[0].element_count(), 1);
  EXPECT_THAT(*file->tensors[0].ToFloats(), ElementsAre(1.5f));
  EXPECT_EQ(file->tensors[1].name, "b");
  EXPECT_EQ(file->tensors[1].dtype, DType::kU8);
  EXPECT_THAT(file->tensors[1].shape, ElementsAre(2, 1));
  EXPECT_EQ(file->tensors[1].data, "\x07\xFF");
  EXPECT_THAT(file->metadata, ElementsAre(testing::Pair("k", "v")));
}

// tests/golden/python.safetensors is from the Python package `safetensors`; values as in
// tools/make_safetensors_golden.py.
TEST(ParseSafetensorsTest, ReadsAFileOfThePythonPackage) {
  const auto bytes = ReadFile(CANDOR_SOURCE_DIR "/tests/golden/python.safetensors", 4096);
  ASSERT_THAT(bytes, IsOk());
  const auto file = ParseSafetensors(*bytes);
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->metadata, ElementsAre(testing::Pair("note", "quote \" and newline \n")));
  std::map<std::string, NamedTensor> tensors;
  for (const NamedTensor& tensor : file->tensors) tensors[tensor.name] = tensor;
  ASSERT_EQ(tensors.size(), 7u);
  EXPECT_THAT(tensors["weight"].shape, ElementsAre(2, 3));
  EXPECT_THAT(*tensors["weight"].ToFloats(), ElementsAre(0.5f, -1.25f, 3.0f, 1e-3f, -65504.0f, std::ldexp(1.0f, -126)));
  EXPECT_EQ(tensors["half"].dtype, DType::kF16);
  EXPECT_THAT(*tensors["half"].ToFloats(), ElementsAre(1.0f, -0.333251953125f, 65504.0f));
  EXPECT_EQ(tensors["brain"].dtype, DType::kBF16);
  EXPECT_THAT(tensors["brain"].shape, ElementsAre(3, 1));
  EXPECT_THAT(*tensors["brain"].ToFloats(), ElementsAre(1.0f, -2.0f, 3.140625f));
  EXPECT_EQ(tensors["steps"].dtype, DType::kI64);
  int64_t steps = 0;
  ASSERT_EQ(tensors["steps"].data.size(), sizeof(steps));
  std::memcpy(&steps, tensors["steps"].data.data(), sizeof(steps));
  EXPECT_EQ(steps, -1234567890123);
  EXPECT_EQ(tensors["bytes"].data, std::string("\x00\x01\x7F\xFF", 4));
  EXPECT_THAT(tensors["empty"].shape, ElementsAre(0, 4));
  EXPECT_EQ(tensors["empty"].element_count(), 0);
  EXPECT_THAT(*tensors["größe"].ToFloats(), ElementsAre(7.0f));
}

TEST(ParseSafetensorsTest, AFileWithoutTensorsIsLegal) {
  EXPECT_THAT(ParseSafetensors(FileOf("{}", 0)), IsOk());
  EXPECT_THAT(ParseSafetensors(FileOf("{}      ", 0)), IsOk());
  EXPECT_THAT(ParseSafetensors(FileOf(R"({"__metadata__":{}})", 0)), IsOk());
}

TEST(ParseSafetensorsTest, EmptyTensorsMayShareAPlace) {
  EXPECT_THAT(ParseSafetensors(FileOf(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                                      R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                                      R"("c":{"dtype":"F32","shape":[3,0],"data_offsets":[0,0]}})",
                                      2)),
              IsOk());
}

TEST(ParseSafetensorsTest, RefusesAFileShorterThanItsHeader) {
  EXPECT_THAT(ParseSafetensors(""), HasStatus(kInvalid, "header: must have 8 bytes of length, the file has 0"));
  EXPECT_THAT(ParseSafetensors("1234567"), HasStatus(kInvalid, "header: must have 8 bytes of length, the file has 7"));
  EXPECT_THAT(ParseSafetensors(RawSafetensors(3, "{}")),
              HasStatus(kInvalid, "header: must lie within the file, has 3 bytes where 2 are left"));
}

TEST(ParseSafetensorsTest, RefusesAHeaderBeyondTheLimit) {
  EXPECT_THAT(ParseSafetensors(RawSafetensors((1 << 20) + 1, "{}")),
              HasStatus(kInvalid, "header: must have at most 1048576 bytes, has 1048577"));
  // Adding 8 to this length would overflow.
  EXPECT_THAT(ParseSafetensors(RawSafetensors(std::numeric_limits<uint64_t>::max(), "{}")),
              HasStatus(kInvalid, HasSubstr("has 18446744073709551615")));
  EXPECT_THAT(ParseSafetensors(FileOf("{}" + std::string((1 << 20) - 2, ' '), 0)), IsOk());
}

TEST(ParseSafetensorsTest, RefusesAHeaderThatDoesNotBeginWithABrace) {
  for (const char* header : {"", " {}", "[]", "\xEF\xBB\xBF{}", "null"}) {
    EXPECT_THAT(ParseSafetensors(FileOf(header, 0)), HasStatus(kInvalid, "header: must begin with '{'")) << header;
  }
}

TEST(ParseSafetensorsTest, RefusesAHeaderThatIsNotJson) {
  EXPECT_THAT(ParseSafetensors(FileOf("{", 0)), HasStatus(kInvalid, HasSubstr("header: not valid JSON")));
  EXPECT_THAT(ParseSafetensors(FileOf("{}x", 0)), HasStatus(kInvalid, HasSubstr("header: not valid JSON")));
  EXPECT_THAT(ParseSafetensors(FileOf(absl::string_view("{}\0", 3), 0)),
              HasStatus(kInvalid, HasSubstr("header: not valid JSON at byte 3")));
  EXPECT_THAT(ParseSafetensors(FileOf("{\"\xFF\":{}}", 0)), HasStatus(kInvalid, HasSubstr("not valid UTF-8")));
}

TEST(ParseSafetensorsTest, RefusesDeepNesting) {
  EXPECT_THAT(ParseSafetensors(FileOf("{\"a\":" + std::string(1 << 19, '['), 0)),
              HasStatus(kInvalid, HasSubstr("nested deeper than 4 levels")));
}

TEST(ParseSafetensorsTest, RefusesARepeatedName) {
  const std::string entry = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(ParseSafetensors(FileOf("{" + entry + "," + entry + "}", 1)),
              HasStatus(kInvalid, "header: a: repeated key"));
}

struct BadEntry {
  const char* entry;    // the value of the only tensor, "a"; the file has 4 bytes of data
  const char* message;  // the whole of it
};

class BadEntryTest : public testing::TestWithParam<BadEntry> {};

TEST_P(BadEntryTest, IsRefusedWithItsNameValueAndRule) {
  EXPECT_THAT(ParseSafetensors(FileOf(absl::StrCat("{\"a\":", GetParam().entry, "}"), 4)),
              HasStatus(kInvalid, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    ParseSafetensors, BadEntryTest,
    testing::Values(
        BadEntry{"1", "a: must be an object, is a number"}, BadEntry{"{}", "a.dtype: missing"},
        BadEntry{R"({"dtype":"U8","shape":[4]})", "a.data_offsets: missing"},
        BadEntry{R"({"dtype":"U8","data_offsets":[0,4]})", "a.shape: missing"},
        BadEntry{R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"strides":[1]})",
                 "a.strides: unknown key, must be one of dtype, shape, data_offsets"},
        BadEntry{R"({"dtype":7,"shape":[4],"data_offsets":[0,4]})", "a.dtype: must be a string, is a number"},
        BadEntry{R"({"dtype":"f32","shape":[1],"data_offsets":[0,4]})",
                 "a.dtype: unknown dtype \"f32\", must be F32, F16, BF16, I64 or U8"},
        BadEntry{R"({"dtype":"F64","shape":[1],"data_offsets":[0,8]})",
                 "a.dtype: F64 is not supported, must be F32, F16, BF16, I64 or U8"},
        BadEntry{R"({"dtype":"F4","shape":[8],"data_offsets":[0,4]})",
                 "a.dtype: F4 is not supported, must be F32, F16, BF16, I64 or U8"},
        BadEntry{R"({"dtype":"U8","shape":4,"data_offsets":[0,4]})", "a.shape: must be an array, is a number"},
        BadEntry{R"({"dtype":"U8","shape":[-4],"data_offsets":[0,4]})",
                 "a.shape[0]: must be an integer in [0, 9223372036854775807], is -4"},
        BadEntry{R"({"dtype":"U8","shape":[2,2.0],"data_offsets":[0,4]})",
                 "a.shape[1]: must be an integer in [0, 9223372036854775807], is 2.0"},
        BadEntry{R"({"dtype":"U8","shape":["4"],"data_offsets":[0,4]})",
                 "a.shape[0]: must be an integer in [0, 9223372036854775807], is a string"},
        BadEntry{R"({"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,4]})",
                 "a.shape[0]: must be an integer in [0, 9223372036854775807], is 9223372036854775808"},
        BadEntry{R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]})",
                 "a.shape: must be of less than 2^63 bytes, overflows"},
        BadEntry{R"({"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]})",  // 4 (2^62 + 1) = 4 mod 2^64
                 "a.shape: must be of less than 2^63 bytes, overflows"},
        BadEntry{R"({"dtype":"U8","shape":[4],"data_offsets":4})", "a.data_offsets: must be an array, is a number"},
        BadEntry{R"({"dtype":"U8","shape":[4],"data_offsets":[0]})", "a.data_offsets: must have 2 items, has 1"},
        BadEntry{R"({"dtype":"U8","shape":[4],"data_offsets":[0,4,8]})", "a.data_offsets: must have 2 items, has 3"},
        BadEntry{R"({"dtype":"U8","shape":[4],"data_offsets":[0,-4]})",
                 "a.data_offsets[1]: must be an integer in [0, 9223372036854775807], is -4"},
        BadEntry{R"({"dtype":"U8","shape":[4],"data_offsets":[4,0]})",
                 "a.data_offsets: must not end before they begin, are 4 to 0"},
        BadEntry{R"({"dtype":"F16","shape":[4],"data_offsets":[0,4]})",
                 "a.data_offsets: must span the 8 bytes of the shape, span 4"},
        BadEntry{R"({"dtype":"F32","shape":[0],"data_offsets":[0,4]})",
                 "a.data_offsets: must span the 0 bytes of the shape, span 4"},
        BadEntry{R"({"dtype":"U8","shape":[3],"data_offsets":[1,4]})",
                 "a.data_offsets: must begin at 0 where the data before it ends, leave a hole: begin at 1"},
        BadEntry{R"({"dtype":"U8","shape":[5],"data_offsets":[0,5]})",
                 "a.data_offsets: must end within the 4 bytes of data, end at 5"},
        BadEntry{R"({"dtype":"U8","shape":[3],"data_offsets":[0,3]})",
                 "data: must end with the last tensor at 3, has 4 bytes"}));

TEST(ParseSafetensorsTest, RefusesAHoleBetweenTensors) {
  EXPECT_THAT(
      ParseSafetensors(FileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                              R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                              3)),
      HasStatus(kInvalid, HasSubstr("b.data_offsets: must begin at 1 where the data before it ends, leave a hole")));
}

TEST(ParseSafetensorsTest, RefusesOverlappingTensors) {
  EXPECT_THAT(ParseSafetensors(FileOf(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                                      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})",
                                      4)),
              HasStatus(kInvalid, HasSubstr("b.data_offsets: must begin at 3 where the data before it ends, overlap")));
  // Twice the same bytes: the memory bomb.
  EXPECT_THAT(ParseSafetensors(FileOf(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                      R"("b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                                      4)),
              HasStatus(kInvalid, HasSubstr("overlap")));
}

TEST(ParseSafetensorsTest, RefusesMetadataOtherThanStrings) {
  EXPECT_THAT(ParseSafetensors(FileOf(R"({"__metadata__":{"k":1}})", 0)),
              HasStatus(kInvalid, "__metadata__.k: must be a string, is a number"));
  EXPECT_THAT(ParseSafetensors(FileOf(R"({"__metadata__":[]})", 0)),
              HasStatus(kInvalid, "__metadata__: must be an object of strings"));
  EXPECT_THAT(ParseSafetensors(FileOf(R"({"__metadata__":{"k":"1","k":"2"}})", 0)),
              HasStatus(kInvalid, "header: __metadata__.k: repeated key"));
}

TEST(ParseSafetensorsTest, RefusesLongNames) {
  const auto file_of = [](size_t length) {
    return FileOf(
        absl::StrCat("{\"", std::string(length, 'n'), R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), 0);
  };
  EXPECT_THAT(ParseSafetensors(file_of(256)), IsOk());
  EXPECT_THAT(ParseSafetensors(file_of(257)),
              HasStatus(kInvalid, HasSubstr("name must have at most 256 bytes, has 257")));
}

TEST(ParseSafetensorsTest, RefusesTooManyTensors) {
  const auto file_of = [](int count) {
    std::string header = R"({"__metadata__":{})";
    for (int i = 0; i < count; ++i) {
      absl::StrAppend(&header, ",\"", i, R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})");
    }
    return FileOf(header + "}", 0);
  };
  EXPECT_THAT(ParseSafetensors(file_of(10000)), IsOk());
  EXPECT_THAT(ParseSafetensors(file_of(10001)),
              HasStatus(kInvalid, "header: must list at most 10000 tensors, lists 10001"));
}

TEST(ParseSafetensorsTest, RefusesAFileCutAnywhere) {
  const auto bytes = ReadFile(CANDOR_SOURCE_DIR "/tests/golden/python.safetensors", 4096);
  ASSERT_THAT(bytes, IsOk());
  for (size_t length = 0; length < bytes->size(); ++length) {
    EXPECT_THAT(ParseSafetensors(absl::string_view(*bytes).substr(0, length)), HasStatus(kInvalid, testing::_))
        << length;
  }
}

TEST(ParseSafetensorsTest, AnyFlippedByteOfTheHeaderIsHandled) {
  const auto golden = ReadFile(CANDOR_SOURCE_DIR "/tests/golden/python.safetensors", 4096);
  ASSERT_THAT(golden, IsOk());
  const size_t header_end = golden->size() - 52;  // 52 bytes of data
  for (size_t i = 0; i < header_end; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = *golden;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      const auto file = ParseSafetensors(bytes);  // a changed name or note may be fine; the sizes never lie
      if (!file.ok()) continue;
      for (const NamedTensor& tensor : file->tensors) {
        int64_t wanted = DTypeBytes(tensor.dtype);
        for (int64_t size : tensor.shape) wanted *= size;
        EXPECT_EQ(static_cast<int64_t>(tensor.data.size()), wanted) << i << " " << bit;
      }
    }
  }
}

}  // namespace
}  // namespace candor
