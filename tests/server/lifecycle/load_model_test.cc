// SPDX-License-Identifier: Apache-2.0
#include "server/lifecycle/load_model.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::Not;

// The log of a load.
std::string LogOf(const ModelInfo& info) {
  testing::internal::CaptureStderr();
  const auto model = LoadModelFrom(
      "folder", {}, [&info](const std::string& /*directory*/) { return std::make_shared<FakeSegmenter>(info); });
  EXPECT_THAT(model.status(), IsOk());
  return testing::internal::GetCapturedStderr();
}

TEST(LoadModelTest, AnEnsembleWithoutSomeMembersIsAnErrorInTheLog) {
  ModelInfo info = FakeModelInfo("committee", ModelKind::kEnsemble);
  EXPECT_THAT(LogOf(info), Not(HasSubstr("\"error\"")));
  info.damaged_members = {"member_1.safetensors", "member_4.safetensors"};
  const std::string log = LogOf(info);
  EXPECT_THAT(log, HasSubstr("\"level\":\"error\""));
  EXPECT_THAT(log, HasSubstr("\"model\":\"committee\""));
  EXPECT_THAT(log, HasSubstr("\"members\":2"));
  EXPECT_THAT(log, HasSubstr("member_1.safetensors, member_4.safetensors"));
  EXPECT_THAT(log, HasSubstr("known answer"));
}

}  // namespace
}  // namespace candor
