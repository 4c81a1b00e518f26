// SPDX-License-Identifier: Apache-2.0
#include "server/model_registry.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/fake_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr ModelKind kStudent = ModelKind::kStudent;
constexpr ModelKind kEnsemble = ModelKind::kEnsemble;
constexpr ModelKind kSingle = ModelKind::kSingle;

int IndexOf(const absl::StatusOr<ModelNames>& names, const char* name) {
  EXPECT_THAT(names, IsOk());
  const absl::StatusOr<int> index = names->Find(name);
  EXPECT_THAT(index, IsOk());
  return index.value_or(-1);
}

TEST(ModelNamesTest, TheOnlyStudentAndTheOnlyEnsembleGetTheirAliases) {
  const auto names = ModelNames::Resolve({{"plain", kSingle, {}}, {"ten", kEnsemble, {}}, {"one", kStudent, {}}}, "");
  EXPECT_EQ(IndexOf(names, "teacher"), 1);
  EXPECT_EQ(IndexOf(names, "student"), 2);
  EXPECT_EQ(IndexOf(names, "plain"), 0);
  EXPECT_THAT(names->aliases(1), ElementsAre("teacher"));
}

TEST(ModelNamesTest, TheDefaultIsTheStudentThenTheFirst) {
  EXPECT_EQ(IndexOf(ModelNames::Resolve({{"t", kEnsemble, {}}, {"s", kStudent, {}}}, ""), ""), 1);
  EXPECT_EQ(IndexOf(ModelNames::Resolve({{"p", kSingle, {}}, {"t", kEnsemble, {}}}, ""), ""), 0);
}

TEST(ModelNamesTest, TheDefaultMayBeConfiguredByNameOrAlias) {
  const std::vector<ModelNaming> models = {{"s", kStudent, {}}, {"t", kEnsemble, {"slow"}}};
  for (const char* name : {"t", "slow", "teacher"}) {
    EXPECT_EQ(IndexOf(ModelNames::Resolve(models, name), ""), 1) << name;
  }
}

TEST(ModelNamesTest, OfTwoOfAKindOneNeedsTheAlias) {
  EXPECT_THAT(ModelNames::Resolve({{"a", kStudent, {}}, {"b", kStudent, {}}}, ""),
              HasStatus(kInvalid, AllOf(StartsWith("models: 2 models are of kind student (a, b)"),
                                        HasSubstr("the alias \"student\""))));
  EXPECT_THAT(ModelNames::Resolve({{"a", kEnsemble, {}}, {"b", kEnsemble, {"x"}}}, ""),
              HasStatus(kInvalid, HasSubstr("the alias \"teacher\"")));
  EXPECT_EQ(IndexOf(ModelNames::Resolve({{"a", kStudent, {}}, {"b", kStudent, {"student"}}}, ""), "student"), 1);
}

TEST(ModelNamesTest, ANetworkThatSamplesIsATeacherWhereThereIsNoEnsemble) {
  EXPECT_EQ(IndexOf(ModelNames::Resolve({{"one", kStudent, {}}, {"drop", kSingle, {}, 10}}, ""), "teacher"), 1);
  EXPECT_EQ(IndexOf(ModelNames::Resolve({{"drop", kSingle, {}, 2}, {"ten", kEnsemble, {}, 10}}, ""), "teacher"), 1);
  EXPECT_EQ(
      IndexOf(ModelNames::Resolve({{"drop", kSingle, {"teacher"}, 2}, {"ten", kEnsemble, {}, 10}}, ""), "teacher"), 0);
  EXPECT_THAT(ModelNames::Resolve({{"plain", kSingle, {}, 1}}, "teacher"),
              HasStatus(kInvalid, HasSubstr("no model is called \"teacher\"")));
}

TEST(ModelNamesTest, OfTwoThatSampleOneNeedsTheAlias) {
  EXPECT_THAT(ModelNames::Resolve({{"drop", kSingle, {}, 10}, {"views", kSingle, {}, 4}}, ""),
              HasStatus(kInvalid, AllOf(StartsWith("models: 2 models sample predictions (drop, views)"),
                                        HasSubstr("the alias \"teacher\""))));
  EXPECT_EQ(
      IndexOf(ModelNames::Resolve({{"drop", kSingle, {}, 10}, {"views", kSingle, {"teacher"}, 4}}, ""), "teacher"), 1);
}

TEST(ModelNamesTest, ABundleNamedStudentNeedsNoAlias) {
  const auto names = ModelNames::Resolve({{"a", kStudent, {}}, {"student", kStudent, {}}}, "");
  EXPECT_EQ(IndexOf(names, "student"), 1);
  EXPECT_THAT(names->aliases(1), ElementsAre());
}

TEST(ModelNamesTest, EachNameMeansOneModel) {
  EXPECT_THAT(ModelNames::Resolve({{"a", kSingle, {}}, {"a", kStudent, {}}}, ""),
              HasStatus(kInvalid, StartsWith("models[1].bundle: \"a\" already means models[0]")));
  EXPECT_THAT(ModelNames::Resolve({{"a", kSingle, {"b"}}, {"b", kSingle, {}}}, ""),
              HasStatus(kInvalid, StartsWith("models[0].aliases[0]: \"b\" already means models[1]")));
  EXPECT_THAT(ModelNames::Resolve({{"a", kSingle, {"x"}}, {"b", kSingle, {"y", "x"}}}, ""),
              HasStatus(kInvalid, StartsWith("models[1].aliases[1]: \"x\" already means models[0]")));
  EXPECT_THAT(ModelNames::Resolve({{"student", kSingle, {}}, {"b", kStudent, {}}}, ""),
              HasStatus(kInvalid, StartsWith("models[1]: \"student\" already means models[0]")));
}

TEST(ModelNamesTest, StudentAndTeacherCannotNameAnotherKind) {
  EXPECT_THAT(ModelNames::Resolve({{"a", kEnsemble, {"student"}}}, ""),
              HasStatus(kInvalid, StartsWith("models[0].aliases[0]: \"student\" must be a model of kind student")));
  EXPECT_THAT(ModelNames::Resolve({{"a", kSingle, {"teacher"}}}, ""),
              HasStatus(kInvalid,
                        "models[0].aliases[0]: \"teacher\" must be a model of kind ensemble, or sample several "
                        "predictions, this one is of kind single"));
}

TEST(ModelNamesTest, NoModelsEmptyAliasesAndAnUnknownDefaultAreRefused) {
  EXPECT_THAT(ModelNames::Resolve({}, ""), HasStatus(kInvalid, StartsWith("models: ")));
  EXPECT_THAT(ModelNames::Resolve({{"a", kSingle, {""}}}, ""),
              HasStatus(kInvalid, StartsWith("models[0].aliases[0]: must not be empty")));
  EXPECT_THAT(ModelNames::Resolve({{"a", kSingle, {}}}, "student"),
              HasStatus(kInvalid, StartsWith("default_model: no model is called \"student\"; loaded are a")));
}

TEST(ModelNamesTest, AnUnknownNameIsAnsweredWithTheLoadedOnesInOrder) {
  const auto names = ModelNames::Resolve({{"b", kSingle, {}}, {"a", kSingle, {}}}, "");
  ASSERT_THAT(names, IsOk());
  EXPECT_THAT(names->Find("c"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("\"c\"; loaded are a, b")));
}

TEST(ModelNamesTest, ALongOrUnprintableNameIsCutAndEscaped) {
  const auto names = ModelNames::Resolve({{"a", kSingle, {}}}, "");
  ASSERT_THAT(names, IsOk());
  EXPECT_THAT(names->Find("x\ny"), HasStatus(absl::StatusCode::kNotFound, HasSubstr("\"x\\ny\"")));
  EXPECT_THAT(names->Find(std::string(5000, 'x')),
              HasStatus(absl::StatusCode::kNotFound, HasSubstr("\"" + std::string(64, 'x') + "...\"")));
}

TEST(ModelRegistryTest, CountsTheModelsPredictions) {
  ModelInfo info = FakeModelInfo("drop", kSingle);
  info.spec.sampling.method = SamplingMethod::kAugmentation;
  info.spec.sampling.views.resize(2);
  std::vector<LoadedModel> models(1);
  models[0].segmenter = std::make_unique<FakeSegmenter>(info);
  const auto registry = ModelRegistry::Create(std::move(models), "teacher");
  ASSERT_THAT(registry, IsOk());
  EXPECT_THAT((*registry)->default_model().aliases, ElementsAre("teacher"));
}

TEST(ModelRegistryTest, FindsSegmentersByNameAliasAndDefault) {
  std::vector<LoadedModel> models(2);
  models[0].segmenter = std::make_unique<FakeSegmenter>(FakeModelInfo("ten", kEnsemble));
  models[0].aliases = {"slow"};
  models[1].segmenter = std::make_unique<FakeSegmenter>(FakeModelInfo("one", kStudent));
  const auto registry = ModelRegistry::Create(std::move(models), "");
  ASSERT_THAT(registry, IsOk());
  for (const char* name : {"ten", "slow", "teacher"}) {
    const absl::StatusOr<const LoadedModel*> model = (*registry)->Find(name);
    ASSERT_THAT(model, IsOk());
    EXPECT_EQ((*model)->segmenter->info().name, "ten");
    EXPECT_THAT((*model)->aliases, ElementsAre("slow", "teacher"));
  }
  EXPECT_EQ((*registry)->Find("").value(), &(*registry)->default_model());
  EXPECT_EQ((*registry)->default_model().segmenter->info().name, "one");
  EXPECT_THAT((*registry)->Find("x"), HasStatus(absl::StatusCode::kNotFound, StartsWith("model: no model is called")));
}

}  // namespace
}  // namespace candor
