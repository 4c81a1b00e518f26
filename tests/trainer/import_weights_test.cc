// SPDX-License-Identifier: Apache-2.0
#include "trainer/import_weights.h"

#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/model/bundle.h"
#include "core/nn/segmentation_net.h"
#include "core/nn/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "trainer/command_line.h"
#include "trainer/weight_names.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class ImportWeightsTest : public testing::Test {
 protected:
  ImportWeightsTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = absl::StrCat(testing::TempDir(), "import_", test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.kind = ModelKind::kStudent;
    options_.classes = "camvid11";
    options_.width = 8;
    options_.store = DType::kF32;
    options_.out = Path("bundle");
  }
  ~ImportWeightsTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::string Write(const std::string& name, const TensorFile& file) const {
    EXPECT_THAT(WriteFileAtomically(Path(name), *SerializeSafetensors(file)), IsOk());
    return Path(name);
  }

  static TensorFile NewWeights(bool student) { return SaveWeights(SegmentationNet(8, 11, student ? 1 : 0)); }

  std::string folder_;
  ImportOptions options_;
};

const NamedTensor* Find(const TensorFile& file, const std::string& name) {
  for (const NamedTensor& tensor : file.tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

TEST_F(ImportWeightsTest, ImportThenExportGivesTheSameTensors) {
  const TensorFile weights = NewWeights(true);
  options_.weights = {Write("a.safetensors", weights)};
  ASSERT_THAT(ImportWeights(options_), IsOk());
  ASSERT_THAT(ExportWeights(options_.out, ExportNaming::kSmp, Path("out")), IsOk());
  const auto exported = ParseSafetensors(*ReadFile(Path("out/model.safetensors"), 64 << 20));
  ASSERT_THAT(exported, IsOk());
  ASSERT_EQ(exported->tensors.size(), weights.tensors.size());
  for (const NamedTensor& want : weights.tensors) {
    const NamedTensor* got = Find(*exported, want.name);
    ASSERT_NE(got, nullptr) << want.name;
    EXPECT_EQ(got->shape, want.shape) << want.name;
    EXPECT_EQ(got->data, want.data) << want.name;
  }
}

TEST_F(ImportWeightsTest, WritesAnEnsembleWithItsKnownAnswer) {
  options_.kind = ModelKind::kEnsemble;
  options_.store = DType::kF16;
  options_.weights = {Write("a.safetensors", NewWeights(false)), Write("b.safetensors", NewWeights(false))};
  ASSERT_THAT(ImportWeights(options_), IsOk());
  const auto bundle = ReadBundle(options_.out);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->members.size(), 2);
  EXPECT_EQ(bundle->members[0].tensors[0].dtype == DType::kF16 || bundle->members[0].tensors[0].dtype == DType::kI64,
            true);
  EXPECT_EQ(bundle->spec.known_answer.labels.size(), 64 * 64);
  EXPECT_EQ(bundle->spec.default_kind(), UncertaintyKind::kPredictiveStddev);
}

TEST_F(ImportWeightsTest, KeepsGroupsOfClasses) {
  options_.weights = {Write("a.safetensors", NewWeights(true))};
  options_.groups = {"drivable=road,pavement", "things=car"};
  ASSERT_THAT(ImportWeights(options_), IsOk());
  const auto bundle = ReadBundle(options_.out);
  ASSERT_THAT(bundle, IsOk());
  ASSERT_EQ(bundle->spec.groups.size(), 2u);
  EXPECT_EQ(bundle->spec.groups[0].name, "drivable");
  ASSERT_EQ(bundle->spec.groups[0].classes.size(), 2u);
  EXPECT_EQ(bundle->spec.classes[bundle->spec.groups[0].classes[1]].name, "pavement");
  options_.out = Path("other");
  options_.groups = {"drivable=road,road"};
  EXPECT_THAT(ImportWeights(options_), HasStatus(StatusCode::kInvalidArgument, HasSubstr("groups[0].classes[1]: ")));
  options_.groups = {"drivable=raod"};
  EXPECT_THAT(ImportWeights(options_), HasStatus(StatusCode::kInvalidArgument, HasSubstr("no class is called")));
}

TEST_F(ImportWeightsTest, TakesLightningsPrefixOff) {
  TensorFile weights = NewWeights(true);
  for (NamedTensor& tensor : weights.tensors) tensor.name = absl::StrCat("model.", tensor.name);
  options_.weights = {Write("a.safetensors", weights)};
  EXPECT_THAT(ImportWeights(options_), IsOk());
}

TEST_F(ImportWeightsTest, CompletesATorchvisionEncoderBySeed) {
  TensorFile encoder = ToTorchvision(NewWeights(true));
  encoder.tensors.push_back({"fc.bias", DType::kF32, {1000}, std::string(4000, '\0')});
  options_.weights = {Write("resnet.safetensors", encoder)};
  options_.seed = 5;
  ASSERT_THAT(ImportWeights(options_), IsOk());
  ImportOptions again = options_;
  again.out = Path("again");
  ASSERT_THAT(ImportWeights(again), IsOk());
  const TensorFile first = ReadBundle(options_.out)->members[0];
  const TensorFile second = ReadBundle(again.out)->members[0];
  EXPECT_EQ(Find(first, "encoder.conv1.weight")->data, Find(encoder, "conv1.weight")->data);
  EXPECT_EQ(Find(first, "decoder.block1.0.weight")->data, Find(second, "decoder.block1.0.weight")->data);
  EXPECT_EQ(Find(first, "fc.bias"), nullptr);

  ASSERT_THAT(ExportWeights(options_.out, ExportNaming::kTorchvision, Path("out")), IsOk());
  const auto exported = ParseSafetensors(*ReadFile(Path("out/model.safetensors"), 64 << 20));
  EXPECT_EQ(exported->tensors.size(), encoder.tensors.size() - 1);
}

TEST_F(ImportWeightsTest, NamesTheFileAndTheRuleOfBadWeights) {
  TensorFile odd;
  odd.tensors.push_back({"backbone.w", DType::kF32, {1}, std::string(4, '\0')});
  options_.weights = {Write("odd.safetensors", odd)};
  EXPECT_THAT(ImportWeights(options_), HasStatus(StatusCode::kInvalidArgument,
                                                 testing::AllOf(HasSubstr("odd.safetensors"), HasSubstr("neither"))));
  options_.weights = {Write("baseline.safetensors", NewWeights(false))};
  EXPECT_THAT(ImportWeights(options_),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("uncertainty_head.0.weight: missing")));
  options_.weights = {Path("none.safetensors")};
  EXPECT_EQ(ImportWeights(options_).code(), StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(options_.out));
}

TEST_F(ImportWeightsTest, RefusesAWrongNumberOfFiles) {
  const std::string file = Write("a.safetensors", NewWeights(true));
  options_.weights = {file, file};
  EXPECT_THAT(ImportWeights(options_), HasStatus(StatusCode::kInvalidArgument, HasSubstr("student takes one file")));
  options_.kind = ModelKind::kEnsemble;
  options_.weights = {file};
  EXPECT_THAT(ImportWeights(options_), HasStatus(StatusCode::kInvalidArgument, HasSubstr("at least two files")));
}

TEST_F(ImportWeightsTest, DoesNotReplaceABundle) {
  options_.weights = {Write("a.safetensors", NewWeights(true))};
  ASSERT_THAT(ImportWeights(options_), IsOk());
  EXPECT_EQ(ImportWeights(options_).code(), StatusCode::kAlreadyExists);
}

TEST_F(ImportWeightsTest, CommandLineMapsErrorsToExitCodes) {
  const std::string good = Write("a.safetensors", NewWeights(true));
  const auto run = [&](const std::vector<std::string>& arguments) {
    std::vector<const char*> argv = {"candor-train"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return RunTrainer(static_cast<int>(argv.size()), argv.data());
  };
  const auto import = [&](const std::string& weights, const std::string& width) {
    return run({"import", "--weights", weights, "--kind", "student", "--classes", "camvid11", "--width", width, "--out",
                options_.out});
  };
  EXPECT_EQ(run({}), ExitCode::kUsage);
  EXPECT_EQ(run({"--help"}), ExitCode::kOk);
  EXPECT_EQ(run({"import", "--weights", good}), ExitCode::kUsage);
  EXPECT_EQ(import(Path("none"), "8"), ExitCode::kIo);
  EXPECT_EQ(import(good, "16"), ExitCode::kConfiguration);
  EXPECT_EQ(import(good, "8"), ExitCode::kOk);
  EXPECT_EQ(run({"export", "--bundle", options_.out, "--out", Path("out")}), ExitCode::kOk);
  EXPECT_EQ(run({"export", "--bundle", Path("none"), "--out", Path("out")}), ExitCode::kIo);
}

}  // namespace
}  // namespace candor
