// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/run_record.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(RunRecordTest, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  const std::string run = folder.File("street-1");
  std::filesystem::create_directory(run);
  const RunRecord record = {"street-1", RunState::kFailed, "no \"data\"\n\xff", "12 34", 1, 2, 3, 4, 10};
  ASSERT_THAT(WriteRecord(run, record), IsOk());
  RunRecord read = *ReadRecord(run);
  EXPECT_THAT(read.message, HasSubstr("no \"data\""));
  read.message = record.message;  // bytes that are no UTF-8 are replaced
  EXPECT_TRUE(read == record);
}

TEST(RunRecordTest, WhatBreaksTheFormatIsNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT(ReadRecord(folder.path()), HasStatus(absl::StatusCode::kNotFound, HasSubstr("run.json")));
  WriteContents(folder.File("run.json"), "{\"format_version\":2}");
  EXPECT_THAT(ReadRecord(folder.path()), HasStatus(kInvalid, AllOf(HasSubstr("run.json"), HasSubstr("got 2"))));
  WriteContents(folder.File("run.json"), "{\"format_version\":1,\"state\":\"lost\"}");
  EXPECT_THAT(ReadRecord(folder.path()), HasStatus(kInvalid, HasSubstr("'lost'")));
  WriteContents(folder.File("run.json"), "{\"format_version\":1,\"state\":\"queued\"}");
  EXPECT_THAT(ReadRecord(folder.path()), HasStatus(kInvalid, HasSubstr("message")));
}

TEST(CheckNameTest, NamesAreNoPaths) {
  for (const char* good : {"a", "Street_2.v-1", "7"}) EXPECT_THAT(CheckName("name", good), IsOk()) << good;
  EXPECT_THAT(CheckName("name", std::string(64, 'a')), IsOk());
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("-a"), std::string("a/b"), std::string("a b"),
        std::string("\xc3\xa4"), std::string(65, 'a'), std::string("a\0b", 3)}) {
    EXPECT_THAT(CheckName("model", bad), HasStatus(kInvalid, HasSubstr("model: "))) << bad;
  }
}

}  // namespace
}  // namespace candor
