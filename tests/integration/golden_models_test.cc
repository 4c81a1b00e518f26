// SPDX-License-Identifier: Apache-2.0
//
// Trained models against PyTorch: the shipped fp16 bundles on a sample picture (tests/golden), and, where the folder
// with the fp32 reference weights is present beside the project, those on its five pictures.
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/image/decode.h"
#include "core/image/encode.h"
#include "core/segmenter/segmenter.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"
#include "tests/testing/status_matchers.h"
#include "trainer/import_weights.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLimit = 64 << 20;
constexpr double kTolerance = 5e-4;
constexpr double kLeastEqualLabels = 0.9995;

Image ReadPicture(const std::string& path) { return *DecodeImage(*ReadFile(path, kLimit), {}); }

std::vector<KindRequest> MapsOf(const ModelSpec& spec) {
  std::vector<KindRequest> kinds;
  for (const UncertaintyKind kind : spec.uncertainty) kinds.push_back({kind, true, 0.1f});
  return kinds;
}

// Compares a map with golden values wherever the labels agree.
void ExpectNear(const KindResult& kind, const std::vector<float>& golden, const std::vector<bool>& agrees) {
  double worst = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    if (agrees[i]) worst = std::max(worst, std::abs(static_cast<double>(kind.map[i]) - golden[i]));
  }
  EXPECT_LE(worst, kTolerance) << UncertaintyKindName(kind.statistics.kind);
  const std::string key = absl::StrCat("worst_", std::string(UncertaintyKindName(kind.statistics.kind)));
  testing::Test::RecordProperty(key, absl::StrCat(worst));
}

class ShippedBundleTest : public testing::TestWithParam<std::string> {};

TEST_P(ShippedBundleTest, AgreesWithPyTorch) {
  const std::string root = CANDOR_SOURCE_DIR;
  const auto segmenter = LoadSegmenter(absl::StrCat(root, "/models/camvid-", GetParam()), {});
  ASSERT_THAT(segmenter, IsOk());
  const Image picture = ReadPicture(root + "/models/samples/Seq05VD_f01740.jpg");
  auto result = (*segmenter)->Segment(picture, {MapsOf((*segmenter)->info().spec)}, nullptr);
  ASSERT_THAT(result, IsOk());
  auto golden = ReadGolden("bundle_" + GetParam());
  // The golden file keeps every fourth pixel both ways.
  const auto thin = [&](const auto& values) {
    std::remove_const_t<std::remove_reference_t<decltype(values)>> kept;
    for (int y = 0; y < picture.height; y += 4) {
      for (int x = 0; x < picture.width; x += 4) kept.push_back(values[y * picture.width + x]);
    }
    return kept;
  };
  const std::vector<uint8_t> labels = thin(result->labels);
  const std::string& want = golden["label"].data;
  ASSERT_EQ(labels.size(), want.size());
  std::vector<bool> agrees;
  int equal = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    agrees.push_back(labels[i] == static_cast<uint8_t>(want[i]));
    equal += agrees.back();
  }
  EXPECT_GE(equal, kLeastEqualLabels * labels.size());
  for (KindResult& kind : result->kinds) {
    kind.map = thin(kind.map);
    ASSERT_EQ(golden.count(std::string(UncertaintyKindName(kind.statistics.kind))), 1u);
    ExpectNear(kind, *golden[std::string(UncertaintyKindName(kind.statistics.kind))].ToFloats(), agrees);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ShippedBundleTest, testing::Values("student", "teacher"));

class ReferenceWeightsTest : public testing::TestWithParam<std::string> {
 protected:
  const std::string shared_ = absl::StrCat(CANDOR_SOURCE_DIR, "/../shared");
  const std::string weights_ = shared_ + "/models/camvid-w16";
};

TEST_P(ReferenceWeightsTest, Fp32AgreesWithTheGoldenOutputs) {
  if (!fs::exists(weights_)) GTEST_SKIP() << "no reference weights at " << weights_;
  const bool is_student = GetParam() == "student";
  ImportOptions options;
  options.kind = is_student ? ModelKind::kStudent : ModelKind::kEnsemble;
  for (int m = 0; m < (is_student ? 1 : 10); ++m) {
    options.weights.push_back(
        absl::StrCat(weights_, is_student ? "/student" : absl::StrCat("/member_", m), ".safetensors"));
  }
  options.classes = "camvid11";
  options.width = 16;
  options.store = DType::kF32;
  options.out = absl::StrCat(testing::TempDir(), "reference_", GetParam());
  fs::remove_all(options.out);
  ASSERT_THAT(ImportWeights(options), IsOk());
  const auto segmenter = LoadSegmenter(options.out, {});
  ASSERT_THAT(segmenter, IsOk());

  int pictures = 0;
  for (const auto& entry : fs::directory_iterator(weights_ + "/golden")) {
    const std::string file = entry.path().filename().string();
    const size_t end = file.find(absl::StrCat("_", GetParam(), "_labels.png"));
    if (end == std::string::npos) continue;
    const std::string name = file.substr(0, end);
    SCOPED_TRACE(name);
    ++pictures;
    const Image picture = ReadPicture(absl::StrCat(shared_, "/data/camvid/test/images/", name, ".jpg"));
    const auto result = (*segmenter)->Segment(picture, {MapsOf((*segmenter)->info().spec)}, nullptr);
    ASSERT_THAT(result, IsOk());
    const ByteMap want = *DecodeLabelPng(*ReadFile(entry.path(), kLimit), {});
    std::vector<bool> agrees;
    int equal = 0;
    for (size_t i = 0; i < want.values.size(); ++i) {
      agrees.push_back(result->labels[i] == want.values[i]);
      equal += agrees.back();
    }
    EXPECT_GE(equal, kLeastEqualLabels * want.values.size());
    int compared = 0;
    for (const KindResult& kind : result->kinds) {
      const std::string golden = absl::StrCat(weights_, "/golden/", name, "_", GetParam(), "_",
                                              std::string(UncertaintyKindName(kind.statistics.kind)), ".npy");
      if (!fs::exists(golden)) continue;
      ExpectNear(kind, DecodeNpy(*ReadFile(golden, kLimit))->values, agrees);
      ++compared;
    }
    EXPECT_GE(compared, 3);
  }
  EXPECT_EQ(pictures, 5);
  fs::remove_all(options.out);
}

INSTANTIATE_TEST_SUITE_P(Models, ReferenceWeightsTest, testing::Values("student", "teacher"));

}  // namespace
}  // namespace candor
