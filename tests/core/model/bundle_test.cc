// SPDX-License-Identifier: Apache-2.0
#include "core/model/bundle.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TensorFile Member(const std::string& bytes) {
  TensorFile file;
  file.tensors = {{"w", DType::kU8, {static_cast<int64_t>(bytes.size())}, bytes}};
  return file;
}

class BundleTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/bundle_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::string WriteStudent(const std::string& name) const {
    EXPECT_THAT(WriteBundle(Path(name), ValidSpec(ModelKind::kStudent, 0), {Member("abc")}), IsOk());
    return Path(name);
  }

  // Replaces text in a bundle's model.json.
  static void Edit(const std::string& bundle, const std::string& from, const std::string& to) {
    const std::string path = bundle + "/model.json";
    const std::string old = *ReadFile(path, 1 << 20);
    ASSERT_THAT(old, HasSubstr(from));
    ASSERT_THAT(WriteFileAtomically(path, absl::StrReplaceAll(old, {{from, to}})), IsOk());
  }

  static std::vector<std::string> FilesOf(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
    return names;
  }

  std::string folder_;
};

TEST_F(BundleTest, RoundTripKeepsAStudent) {
  const std::string directory = WriteStudent("deep/er/camvid");
  EXPECT_THAT(FilesOf(directory), UnorderedElementsAre("model.json", "model.safetensors"));
  const auto bundle = ReadBundle(directory);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->name, "camvid");
  EXPECT_EQ(bundle->version, 1);
  EXPECT_EQ(bundle->digest, Sha256Hex(*ReadFile(directory + "/model.json", 1 << 20)));
  EXPECT_EQ(bundle->spec.kind, ModelKind::kStudent);
  EXPECT_EQ(bundle->spec.training, "made up");
  ASSERT_EQ(bundle->members.size(), 1u);
  EXPECT_EQ(bundle->members[0].tensors[0].data, "abc");
}

TEST_F(BundleTest, RoundTripKeepsMembersInOrder) {
  std::vector<TensorFile> members(12);
  for (size_t i = 0; i < members.size(); ++i) members[i] = Member(std::string(i, 'x'));
  ASSERT_THAT(WriteBundle(Path("teacher"), ValidSpec(ModelKind::kEnsemble, 0), members), IsOk());
  EXPECT_TRUE(fs::exists(Path("teacher/member_0.safetensors")));
  EXPECT_TRUE(fs::exists(Path("teacher/member_11.safetensors")));
  const auto bundle = ReadBundle(Path("teacher"));
  ASSERT_THAT(bundle, IsOk());
  ASSERT_EQ(bundle->members.size(), 12u);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(bundle->members[i].tensors[0].data.size(), static_cast<size_t>(i));
  EXPECT_EQ(bundle->spec.weights[11].name, "member_11.safetensors");
}

TEST_F(BundleTest, AnIntegerDirectoryIsAVersionOfItsParent) {
  WriteStudent("camvid/7");
  const auto bundle = ReadBundle(Path("camvid/7"));
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->name, "camvid");
  EXPECT_EQ(bundle->version, 7);
}

TEST_F(BundleTest, ADirectoryThatOnlyBeginsWithDigitsIsAName) {
  for (const char* name : {"7a", "-7", "2024-05", "99999999999999999999"}) {
    WriteStudent(absl::StrCat("camvid/", name));
    const auto bundle = ReadBundle(Path(absl::StrCat("camvid/", name)));
    ASSERT_THAT(bundle, IsOk());
    EXPECT_EQ(bundle->name, name);
    EXPECT_EQ(bundle->version, 1);
  }
}

TEST_F(BundleTest, OddSpellingsOfThePathGiveTheSameName) {
  WriteStudent("camvid/7");
  for (const char* path : {"camvid/7/", "camvid/7//", "camvid/7/.", "camvid/./7", "camvid/8/../7", "./camvid//7/./"}) {
    fs::create_directories(Path("camvid/8"));
    const auto bundle = ReadBundle(Path(path));
    ASSERT_THAT(bundle, IsOk()) << path;
    EXPECT_EQ(bundle->name, "camvid") << path;
    EXPECT_EQ(bundle->version, 7) << path;
  }
}

TEST_F(BundleTest, TheCurrentDirectoryHasAName) {
  WriteStudent("camvid/7");
  const fs::path before = fs::current_path();
  fs::current_path(Path("camvid/7"));
  const auto here = ReadBundle(".");
  fs::current_path(Path("camvid"));
  const auto below = ReadBundle("7");
  fs::current_path(before);
  ASSERT_THAT(here, IsOk());
  EXPECT_EQ(here->name, "camvid");
  EXPECT_EQ(here->version, 7);
  ASSERT_THAT(below, IsOk());
  EXPECT_EQ(below->name, "camvid");
}

TEST_F(BundleTest, ALinkGivesItsOwnName) {
  fs::create_directory_symlink(WriteStudent("build-2024-05"), Path("current"));
  const auto bundle = ReadBundle(Path("current"));
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->name, "current");
}

TEST_F(BundleTest, LinkedWeightsAreRead) {
  const std::string directory = WriteStudent("a");
  fs::rename(directory + "/model.safetensors", Path("elsewhere"));
  fs::create_symlink(Path("elsewhere"), directory + "/model.safetensors");
  EXPECT_THAT(ReadBundle(directory), IsOk());
}

TEST_F(BundleTest, AMissingDirectoryOrManifestIsNotFound) {
  EXPECT_THAT(ReadBundle(Path("none")), HasStatus(absl::StatusCode::kNotFound, HasSubstr("/none: no such directory")));
  const std::string directory = WriteStudent("half");
  fs::remove(directory + "/model.json");  // what a kill before the last step leaves
  EXPECT_THAT(ReadBundle(directory), HasStatus(absl::StatusCode::kNotFound, HasSubstr("half/model.json")));
  std::ofstream(Path("file")) << "x";
  EXPECT_THAT(ReadBundle(Path("file")), HasStatus(absl::StatusCode::kNotFound, HasSubstr("no such directory")));
}

TEST_F(BundleTest, DamagedWeightsAreDataLoss) {
  const std::string directory = WriteStudent("a");
  const std::string weights = directory + "/model.safetensors";
  const std::string good = *ReadFile(weights, 1 << 20);

  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  ASSERT_THAT(WriteFileAtomically(weights, flipped), IsOk());
  EXPECT_THAT(ReadBundle(directory),
              HasStatus(absl::StatusCode::kDataLoss,
                        AllOf(HasSubstr("a/model.safetensors: must have the SHA-256"), HasSubstr(Sha256Hex(flipped)))));

  ASSERT_THAT(WriteFileAtomically(weights, good.substr(0, good.size() - 1)), IsOk());
  EXPECT_THAT(
      ReadBundle(directory),
      HasStatus(absl::StatusCode::kDataLoss, HasSubstr(absl::StrCat("a/model.safetensors: must have the ", good.size(),
                                                                    " bytes model.json says, has ", good.size() - 1))));

  fs::remove(weights);
  EXPECT_THAT(ReadBundle(directory),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("a/model.safetensors: missing, model.json lists it")));
}

TEST_F(BundleTest, TheSoundMembersOfADamagedEnsembleAreFound) {
  ModelSpec spec = ValidSpec(ModelKind::kEnsemble, 0);
  ASSERT_THAT(WriteBundle(Path("b"), spec, {Member("a"), Member("b"), Member("c"), Member("d")}), IsOk());
  const Bundle bundle = *OpenBundle(Path("b"));
  EXPECT_THAT(FindSoundMembers(bundle).sound, testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(FindSoundMembers(bundle).reason, IsOk());
  std::ofstream(Path("b/member_1.safetensors"), std::ios::app) << "x";
  fs::remove(Path("b/member_3.safetensors"));
  const MembersOnDisk members = FindSoundMembers(bundle);
  EXPECT_THAT(members.sound, testing::ElementsAre(0, 2));
  EXPECT_THAT(members.damaged, testing::ElementsAre("member_1.safetensors", "member_3.safetensors"));
  EXPECT_THAT(members.reason, HasStatus(absl::StatusCode::kDataLoss, HasSubstr("member_1.safetensors: must have")));
}

TEST_F(BundleTest, ADamagedManifestIsInvalidWithFileAndPath) {
  const std::string unknown = WriteStudent("unknown");
  Edit(unknown, "\"width\": 16,", "\"width\": 16, \"depth\": 18,");
  EXPECT_THAT(ReadBundle(unknown), HasStatus(kInvalid, HasSubstr("unknown/model.json: depth: unknown key")));

  const std::string newer = WriteStudent("newer");
  Edit(newer, "\"format_version\": 2", "\"format_version\": 3");
  EXPECT_THAT(ReadBundle(newer), HasStatus(kInvalid, HasSubstr("newer/model.json: format_version: must be at most 2")));

  const std::string outside = WriteStudent("outside");
  Edit(outside, "\"model.safetensors\"", "\"../x\"");
  EXPECT_THAT(ReadBundle(outside),
              HasStatus(kInvalid, HasSubstr("outside/model.json: weights[0].file: must be a file")));

  const std::string cut = WriteStudent("cut");
  const std::string text = *ReadFile(cut + "/model.json", 1 << 20);
  ASSERT_THAT(WriteFileAtomically(cut + "/model.json", text.substr(0, text.size() / 2)), IsOk());
  EXPECT_THAT(ReadBundle(cut), HasStatus(kInvalid, HasSubstr("cut/model.json: not valid JSON")));
}

TEST_F(BundleTest, AHugeManifestIsRefused) {
  const std::string directory = WriteStudent("a");
  ASSERT_THAT(WriteFileAtomically(directory + "/model.json", std::string((4 << 20) + 1, ' ')), IsOk());
  EXPECT_THAT(ReadBundle(directory), HasStatus(kInvalid, AllOf(HasSubstr("model.json"), HasSubstr("4194304"))));
}

TEST_F(BundleTest, WeightsThatAreNoSafetensorsAreInvalid) {
  const std::string directory = WriteStudent("a");
  const std::string weights = directory + "/model.safetensors";
  const std::string good = *ReadFile(weights, 1 << 20);
  const std::string bad(good.size(), 'x');
  ASSERT_THAT(WriteFileAtomically(weights, bad), IsOk());
  Edit(directory, Sha256Hex(good), Sha256Hex(bad));
  EXPECT_THAT(ReadBundle(directory), HasStatus(kInvalid, HasSubstr("a/model.safetensors: header: must have at most")));
}

TEST_F(BundleTest, AWrittenBundleIsNeverOverwritten) {
  const std::string directory = WriteStudent("a");
  EXPECT_THAT(WriteBundle(directory, ValidSpec(ModelKind::kStudent, 0), {Member("other")}),
              HasStatus(absl::StatusCode::kAlreadyExists, HasSubstr("a/model.json")));
  EXPECT_EQ(ReadBundle(directory)->members[0].tensors[0].data, "abc");
}

TEST_F(BundleTest, AHalfWrittenBundleIsCompletedByWritingAgain) {
  const std::string directory = WriteStudent("a");
  fs::remove(directory + "/model.json");
  ASSERT_THAT(WriteBundle(directory, ValidSpec(ModelKind::kStudent, 0), {Member("other")}), IsOk());
  EXPECT_EQ(ReadBundle(directory)->members[0].tensors[0].data, "other");
}

TEST_F(BundleTest, ASpecThatCouldNotBeReadIsNotWritten) {
  ModelSpec spec = ValidSpec(ModelKind::kStudent, 0);
  spec.width = 3;
  EXPECT_THAT(WriteBundle(Path("a"), spec, {Member("x")}),
              HasStatus(kInvalid, HasSubstr("a/model.json: width: must be")));
  EXPECT_THAT(WriteBundle(Path("a"), ValidSpec(ModelKind::kEnsemble, 0), {Member("x")}),
              HasStatus(kInvalid, HasSubstr("weights: must have 2 to 1000 items")));
  EXPECT_FALSE(fs::exists(Path("a")));
}

TEST_F(BundleTest, AMemberThatCannotBeWrittenIsNamed) {
  TensorFile broken = Member("abc");
  broken.tensors[0].shape = {4};
  EXPECT_THAT(WriteBundle(Path("a"), ValidSpec(ModelKind::kStudent, 0), {broken}),
              HasStatus(kInvalid, HasSubstr("a/model.safetensors: w: must have the 4 bytes of its shape, has 3")));
  EXPECT_FALSE(fs::exists(Path("a/model.json")));
}

TEST_F(BundleTest, ACalibrationIsAddedToABundleThatIsThere) {
  const std::string directory = WriteStudent("a");
  const auto before = OpenBundle(directory);
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(UpdateBundleSpec(directory, Calibrated(before->spec)), IsOk());
  const auto after = ReadBundle(directory);
  ASSERT_THAT(after, IsOk());
  ASSERT_TRUE(after->spec.calibration.has_value());
  EXPECT_EQ(after->spec.calibration->verdict->accept_max, 0.25f);
  EXPECT_NE(after->digest, before->digest);
  EXPECT_EQ(after->members[0].tensors[0].data, "abc");
  EXPECT_THAT(FilesOf(directory), UnorderedElementsAre("model.json", "model.safetensors"));
}

TEST_F(BundleTest, AnUpdateWithOtherWeightsIsRefused) {
  const std::string directory = WriteStudent("a");
  const std::string before = *ReadFile(directory + "/model.json", 1 << 20);
  const ModelSpec spec = OpenBundle(directory)->spec;
  const std::string rule = "a/model.json: weights[0]: must be as in the bundle (model.safetensors, ";
  ModelSpec other = spec;
  other.weights[0].sha256 = std::string(64, '0');
  EXPECT_THAT(UpdateBundleSpec(directory, other), HasStatus(kInvalid, HasSubstr(rule)));
  other = spec;
  other.weights[0].bytes += 1;
  EXPECT_THAT(UpdateBundleSpec(directory, other), HasStatus(kInvalid, HasSubstr(rule)));
  other = spec;
  other.weights[0].name = "b";
  EXPECT_THAT(UpdateBundleSpec(directory, other), HasStatus(kInvalid, HasSubstr(rule)));
  other = ValidSpec(ModelKind::kEnsemble, 1);
  other.weights = {spec.weights[0], {"more", 1, std::string(64, '0')}};
  EXPECT_THAT(UpdateBundleSpec(directory, other),
              HasStatus(kInvalid, HasSubstr("weights[1]: must be as in the bundle (none), is more, 1 bytes")));
  EXPECT_EQ(*ReadFile(directory + "/model.json", 1 << 20), before);
}

TEST_F(BundleTest, AnUpdateThatBreaksARuleOrHasNoBundleIsRefused) {
  const std::string directory = WriteStudent("a");
  ModelSpec spec = OpenBundle(directory)->spec;
  EXPECT_THAT(UpdateBundleSpec(Path("none"), spec), HasStatus(absl::StatusCode::kNotFound, HasSubstr("/none")));
  spec.width = 3;
  EXPECT_THAT(UpdateBundleSpec(directory, spec), HasStatus(kInvalid, HasSubstr("a/model.json: width: must be")));
  EXPECT_THAT(ReadBundle(directory), IsOk());
}

TEST_F(BundleTest, ADirectoryThatCannotBeMadeIsDataLoss) {
  std::ofstream(Path("file")) << "x";
  EXPECT_THAT(WriteBundle(Path("file/a"), ValidSpec(ModelKind::kStudent, 0), {Member("x")}),
              HasStatus(absl::StatusCode::kDataLoss, HasSubstr("file/a")));
}

// A network of an encoder and a decoder, by their bytes.
TensorFile Split(const std::string& encoder, const std::string& decoder) {
  TensorFile file = Member(decoder);
  file.tensors[0].name = "decoder.w";
  file.tensors.push_back(Member(encoder).tensors[0]);
  file.tensors[1].name = "encoder.w";
  return file;
}

class SharedEncoderTest : public BundleTest {
 protected:
  ModelSpec Spec() const {
    ModelSpec spec = ValidSpec(ModelKind::kEnsemble, 0);
    spec.is_encoder_shared = true;
    return spec;
  }
  static std::string Bytes(const TensorFile& file, const std::string& name) {
    for (const NamedTensor& tensor : file.tensors) {
      if (tensor.name == name) return tensor.data;
    }
    return "(none)";
  }
};

TEST_F(SharedEncoderTest, TheEncoderIsStoredOnceAndEveryMemberIsReadWhole) {
  ASSERT_THAT(WriteBundle(Path("b"), Spec(), {Split("EEEE", "a"), Split("EEEE", "b"), Split("EEEE", "c")}), IsOk());
  const auto second = ParseSafetensors(*ReadFile(Path("b/member_1.safetensors"), 1 << 20));
  ASSERT_THAT(second, IsOk());
  ASSERT_EQ(second->tensors.size(), 1u);
  EXPECT_EQ(second->tensors[0].name, "decoder.w");
  const auto bundle = ReadBundle(Path("b"));
  ASSERT_THAT(bundle, IsOk());
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(bundle->members[i].tensors.size(), 2u);
    EXPECT_EQ(Bytes(bundle->members[i], "encoder.w"), "EEEE");
    EXPECT_EQ(Bytes(bundle->members[i], "decoder.w"), std::string(1, static_cast<char>('a' + i)));
  }
}

TEST_F(SharedEncoderTest, MembersAreWholeAlsoWhereTheFirstIsLeftOut) {
  ASSERT_THAT(WriteBundle(Path("b"), Spec(), {Split("EEEE", "a"), Split("EEEE", "b"), Split("EEEE", "c")}), IsOk());
  Bundle bundle = *OpenBundle(Path("b"));
  bundle.spec.weights.erase(bundle.spec.weights.begin());
  const auto member = ReadMember(bundle, 1);
  ASSERT_THAT(member, IsOk());
  EXPECT_EQ(Bytes(*member, "encoder.w"), "EEEE");
  EXPECT_EQ(Bytes(*member, "decoder.w"), "c");
}

TEST_F(SharedEncoderTest, EncodersThatDifferAreRefusedAndNothingIsWritten) {
  EXPECT_THAT(WriteBundle(Path("b"), Spec(), {Split("EEEE", "a"), Split("EEEE", "b"), Split("EEEF", "c")}),
              HasStatus(kInvalid, HasSubstr("member 2: encoder.w: must be member 0's")));
  EXPECT_THAT(WriteBundle(Path("b"), Spec(), {Split("EEEE", "a"), Member("b")}),
              HasStatus(kInvalid, HasSubstr("member 1: must have the 1 tensors of member 0's encoder, has 0")));
  EXPECT_FALSE(fs::exists(Path("b")));
}

TEST_F(SharedEncoderTest, WithoutTheFirstFileNoMemberIsSound) {
  ASSERT_THAT(WriteBundle(Path("b"), Spec(), {Split("EEEE", "a"), Split("EEEE", "b"), Split("EEEE", "c")}), IsOk());
  fs::remove(Path("b/member_0.safetensors"));
  const Bundle bundle = *OpenBundle(Path("b"));
  const MembersOnDisk members = FindSoundMembers(bundle);
  EXPECT_TRUE(members.sound.empty());
  EXPECT_THAT(members.reason, HasStatus(absl::StatusCode::kDataLoss, HasSubstr("member_0.safetensors: missing")));
}

}  // namespace
}  // namespace candor
