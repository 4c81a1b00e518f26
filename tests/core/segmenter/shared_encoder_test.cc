// SPDX-License-Identifier: Apache-2.0
//
// A deep sub-ensemble as it is served, against the ensemble of the same networks with an encoder each.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/segmenter/segmenter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/segmenter/small_bundle.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

Image Noise(int width, int height) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height * 3; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 37 % 251));
  return image;
}

class SharedEncoderSegmenterTest : public testing::Test {
 protected:
  SharedEncoderSegmenterTest() {
    WriteSubEnsemble(shared(), 4, true);
    WriteSubEnsemble(whole(), 4, false);
  }
  std::string shared() const { return folder_.File("shared"); }
  std::string whole() const { return folder_.File("whole"); }

  static std::unique_ptr<Segmenter> Load(const std::string& bundle, const std::vector<int>& members,
                                         Precision precision = Precision::kFp32) {
    LoadOptions options;
    options.members = members;
    options.precision = precision;
    auto segmenter = LoadSegmenter(bundle, options);
    EXPECT_THAT(segmenter, IsOk());
    return *std::move(segmenter);
  }

  TemporaryFolder folder_;
};

TEST_F(SharedEncoderSegmenterTest, ItAnswersAsTheEnsembleOfItsWholeMembers) {
  constexpr int kSizes[][2] = {{40, 24}, {17, 31}, {40, 24}};
  const std::vector<std::vector<int>> choices = {{}, {0, 1}, {2, 3}, {1, 2, 3}, {0}, {3}};
  for (const std::vector<int>& members : choices) {
    const auto some = Load(shared(), members);
    const auto same = Load(whole(), members);
    ASSERT_EQ(some->info().spec.kind, same->info().spec.kind);
    const std::vector<KindRequest> kinds = {{some->info().spec.default_kind(), true}};
    const PredictRequest request = {kinds};
    for (const auto& [width, height] : kSizes) {
      const auto answer = some->Segment(Noise(width, height), request, nullptr);
      const auto wanted = same->Segment(Noise(width, height), request, nullptr);
      ASSERT_THAT(answer, IsOk());
      EXPECT_EQ(answer->labels, wanted->labels);
      EXPECT_THAT(answer->kinds[0].map, testing::Pointwise(testing::FloatNear(1e-6f), wanted->kinds[0].map));
    }
  }
}

TEST_F(SharedEncoderSegmenterTest, EveryKindOfMembersIsThere) {
  const auto segmenter = Load(shared(), {});
  std::vector<KindRequest> kinds;
  for (const UncertaintyKind kind : segmenter->info().spec.uncertainty) kinds.push_back({kind});
  ASSERT_EQ(kinds.size(), 7u);
  const auto answer = segmenter->Segment(Noise(32, 16), {kinds}, nullptr);
  ASSERT_THAT(answer, IsOk());
  EXPECT_GT(answer->kinds[0].statistics.max, 0);  // the decoders differ
}

// A width of 8 and five classes: an encoder of E and a rest of R parameters.
TEST_F(SharedEncoderSegmenterTest, TheEncodersParametersCountOnce) {
  const int64_t one = Load(whole(), {0})->info().parameters;
  const int64_t two = Load(shared(), {1, 2})->info().parameters;
  const int64_t four = Load(shared(), {})->info().parameters;
  const int64_t rest = two - one;
  EXPECT_GT(rest, 0);
  EXPECT_LT(rest, one / 4);  // the encoder has nine tenths of the parameters
  EXPECT_EQ(four, one + 3 * rest);
  EXPECT_EQ(Load(shared(), {2})->info().parameters, one);
  EXPECT_EQ(Load(whole(), {})->info().parameters, 4 * one);
}

TEST_F(SharedEncoderSegmenterTest, ADamagedDecoderIsLeftOutADamagedEncoderIsNot) {
  LoadOptions options;
  options.allow_partial_ensemble = true;
  std::filesystem::remove(shared() + "/member_2.safetensors");
  const auto partial = LoadSegmenter(shared(), options);
  ASSERT_THAT(partial, IsOk());
  EXPECT_THAT((*partial)->info().damaged_members, ElementsAre("member_2.safetensors"));
  std::filesystem::remove(shared() + "/member_0.safetensors");
  EXPECT_THAT(LoadSegmenter(shared(), options),
              HasStatus(StatusCode::kDataLoss, HasSubstr("member_0.safetensors: missing")));
}

}  // namespace
}  // namespace candor
