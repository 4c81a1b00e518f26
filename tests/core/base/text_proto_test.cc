// SPDX-License-Identifier: Apache-2.0
//
// Text protos that are right, and the place of the first error in those that are not. The message is one that protobuf
// itself brings along.
#include "core/base/text_proto.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TextProtoTest : public testing::Test {
 protected:
  TextProtoTest()
      : path_(testing::TempDir() + "text_proto_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {}
  ~TextProtoTest() override { std::filesystem::remove(path_); }

  absl::Status Read(const std::string& text) {
    std::ofstream(path_) << text;
    return ReadTextProto(path_, &message_);
  }

  const std::string path_;
  google::protobuf::FileDescriptorProto message_;
};

TEST_F(TextProtoTest, ReadsFieldsAndComments) {
  ASSERT_THAT(Read("# a comment\nname: \"n\"\ndependency: \"a\"\ndependency: \"b\"\n"), IsOk());
  EXPECT_EQ(message_.name(), "n");
  EXPECT_EQ(message_.dependency_size(), 2);
}

TEST_F(TextProtoTest, EmptyFileIsAnEmptyMessage) { EXPECT_THAT(Read(""), IsOk()); }

TEST_F(TextProtoTest, MissingFileIsNotFound) {
  EXPECT_THAT(ReadTextProto(path_, &message_), HasStatus(absl::StatusCode::kNotFound, HasSubstr(path_)));
}

TEST_F(TextProtoTest, UnknownFieldIsAnErrorWithItsPlace) {
  EXPECT_THAT(Read("name: \"n\"\n  nmae: \"m\"\n"),
              HasStatus(absl::StatusCode::kInvalidArgument, AllOf(StartsWith(path_ + ":2:"), HasSubstr("nmae"))));
}

TEST_F(TextProtoTest, PlacesCountFromOne) {
  EXPECT_THAT(Read("!"), HasStatus(absl::StatusCode::kInvalidArgument, StartsWith(path_ + ":1:1: ")));
}

TEST_F(TextProtoTest, RepeatedSingularFieldIsAnError) {
  EXPECT_THAT(Read("name: \"n\"\nname: \"m\"\n"),
              HasStatus(absl::StatusCode::kInvalidArgument, AllOf(StartsWith(path_ + ":2:"), HasSubstr("name"))));
}

TEST_F(TextProtoTest, WrongTypeIsAnError) {
  EXPECT_THAT(Read("public_dependency: \"text\""), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr(":1:")));
}

TEST_F(TextProtoTest, OnlyTheFirstErrorIsToldInOneLine) {
  EXPECT_THAT(Read("first_wrong: 1\nsecond_wrong: 2\n"),
              HasStatus(absl::StatusCode::kInvalidArgument,
                        AllOf(HasSubstr("first_wrong"), Not(HasSubstr("second_wrong")), Not(HasSubstr("\n")))));
}

TEST_F(TextProtoTest, ControlCharactersDoNotReachTheError) {
  EXPECT_THAT(Read("name: \x7f\x1b[2J"),
              HasStatus(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("\\x7f"), Not(HasSubstr("\x7f")))));
}

TEST_F(TextProtoTest, FileOverOneMebibyteIsRefused) {
  EXPECT_THAT(Read(std::string((1 << 20) + 1, ' ')),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("1048576")));
}

}  // namespace
}  // namespace candor
