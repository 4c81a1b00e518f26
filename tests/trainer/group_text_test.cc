// SPDX-License-Identifier: Apache-2.0
#include "trainer/group_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<ClassSpec> Classes() { return {{"sky", {}}, {"road", {}}, {"bike=lane", {}}}; }

TEST(ParseGroupTest, FindsClassesByName) {
  const auto drivable = ParseGroup("drivable=bike=lane,road", Classes());
  ASSERT_THAT(drivable, IsOk());
  EXPECT_EQ(drivable->name, "drivable");
  EXPECT_THAT(drivable->classes, ElementsAre(2, 1));
}

TEST(ParseGroupTest, OtherTextsAreRefused) {
  for (const char* text : {"", "drivable", "drivable=", "=road", "="}) {
    EXPECT_THAT(ParseGroup(text, Classes()),
                HasStatus(StatusCode::kInvalidArgument, HasSubstr("group: must be NAME=CLASS,CLASS,...")))
        << text;
  }
  EXPECT_THAT(ParseGroup("drivable=road,raod", Classes()),
              HasStatus(StatusCode::kInvalidArgument,
                        HasSubstr("group: drivable: no class is called \"raod\"; there are sky, road, bike=lane")));
  EXPECT_THAT(ParseGroup("drivable=road,", Classes()),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("called \"\"")));
}

}  // namespace
}  // namespace candor
