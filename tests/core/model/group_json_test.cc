// SPDX-License-Identifier: Apache-2.0
#include "core/model/group_json.h"

#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "gmock/gmock.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(GroupJsonTest, ReadsAHandWrittenList) {
  const auto groups =
      GroupsFromJson(json::parse(R"([{"name": "drivable", "classes": [0, 9]}, {"classes": [9], "name": "x"}])"), "g");
  ASSERT_THAT(groups, IsOk());
  ASSERT_EQ(groups->size(), 2u);
  EXPECT_EQ((*groups)[0].name, "drivable");
  EXPECT_THAT((*groups)[0].classes, ElementsAre(0, 9));
  EXPECT_EQ((*groups)[1].name, "x");
}

TEST(GroupJsonTest, RefusesAnotherShapeWithItsPath) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({})", "groups: "},
      {R"([1])", "groups[0]: "},
      {R"([{"name": "a"}])", "groups[0].classes: missing"},
      {R"([{"name": "a", "classes": [0], "colour": 1}])", "groups[0].colour: unknown key"},
      {R"([{"name": 1, "classes": [0]}])", "groups[0].name: "},
      {R"([{"name": "a", "classes": 0}])", "groups[0].classes: "},
      {R"([{"name": "a", "classes": []}])", "groups[0].classes: "},
      {R"([{"name": "a", "classes": [0, -1]}])", "groups[0].classes[1]: "},
      {R"([{"name": "a", "classes": [255]}])", "groups[0].classes[0]: "},
      {R"([{"name": "a", "classes": [0.5]}])", "groups[0].classes[0]: "},
      {R"([{"name": "a", "classes": ["road"]}])", "groups[0].classes[0]: "},
  };
  for (const auto& [text, begin] : cases) {
    EXPECT_THAT(GroupsFromJson(json::parse(text), "groups"), HasStatus(kInvalid, StartsWith(begin))) << text;
  }
}

TEST(GroupJsonTest, SpecsKeepTheirGroupsThroughAFile) {
  ModelSpec spec = ValidSpec(ModelKind::kSingle, 1);
  EXPECT_THAT(ModelSpecToJson(spec), Not(HasSubstr("groups")));
  spec.groups = {{"drivable", {0, 2}},
                 {"r\xC3\xBC"
                  "ckwand",
                  {1}}};
  const auto read = ModelSpecFromJson(ModelSpecToJson(spec));
  ASSERT_THAT(read, IsOk());
  ASSERT_EQ(read->groups.size(), 2u);
  EXPECT_EQ(read->groups[0].name, "drivable");
  EXPECT_THAT(read->groups[0].classes, ElementsAre(0, 2));
  EXPECT_EQ(read->groups[1].name, spec.groups[1].name);
}

TEST(GroupJsonTest, SpecsAreChecked) {
  const auto check = [](std::vector<ClassGroup> groups) {
    ModelSpec spec = ValidSpec(ModelKind::kSingle, 1);  // three classes
    spec.groups = std::move(groups);
    return ValidateModelSpec(spec);
  };
  EXPECT_THAT(check({{"a", {0, 1, 2}}, {"b", {2}}}), IsOk());
  EXPECT_THAT(check({{"", {0}}}), HasStatus(kInvalid, StartsWith("groups[0].name: must have 1 to 64 bytes")));
  EXPECT_THAT(check({{std::string(65, 'x'), {0}}}), HasStatus(kInvalid, StartsWith("groups[0].name: ")));
  EXPECT_THAT(check({{"\xFF", {0}}}), HasStatus(kInvalid, StartsWith("groups[0].name: must be UTF-8")));
  EXPECT_THAT(check({{"a", {}}}), HasStatus(kInvalid, StartsWith("groups[0].classes: ")));
  EXPECT_THAT(check({{"a", {0, 3}}}), HasStatus(kInvalid, StartsWith("groups[0].classes[1]: must be in [0, 2], is 3")));
  EXPECT_THAT(check({{"a", {-1}}}), HasStatus(kInvalid, StartsWith("groups[0].classes[0]: ")));
  EXPECT_THAT(check({{"a", {1, 1}}}), HasStatus(kInvalid, StartsWith("groups[0].classes[1]: must be unique")));
  EXPECT_THAT(check({{"a", {0}}, {"a", {1}}}), HasStatus(kInvalid, StartsWith("groups[1].name: must be unique")));
  EXPECT_THAT(check(std::vector<ClassGroup>(65, {"a", {0}})), HasStatus(kInvalid, StartsWith("groups: ")));
}

}  // namespace
}  // namespace candor
