// SPDX-License-Identifier: Apache-2.0
//
// The models of this repository and what they say about its sample pictures.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/image/decode.h"
#include "core/segmenter/segmenter.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {

inline absl::StatusOr<std::unique_ptr<Segmenter>> LoadShipped(const std::string& bundle, const LoadOptions& options) {
  return LoadSegmenter(absl::StrCat(CANDOR_SOURCE_DIR, "/models/", bundle), options);
}

// Test failure on any error, here and below.
inline Image ReadSample(const std::string& picture) {
  const auto bytes = ReadFile(absl::StrCat(CANDOR_SOURCE_DIR, "/models/samples/", picture), 1 << 24);
  EXPECT_THAT(bytes, IsOk());
  auto image = DecodeImage(*bytes, {});
  EXPECT_THAT(image, IsOk());
  return *std::move(image);
}

// With a map of the predictive standard deviation.
inline Segmentation Answer(Segmenter* segmenter, const std::string& picture) {
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveStddev, true}};
  auto result = segmenter->Segment(ReadSample(picture), {kinds}, nullptr);
  EXPECT_THAT(result, IsOk());
  return *std::move(result);
}

// Share of pixels with the same label, and the maps' mean difference: also properties of the test.
struct Agreement {
  double share = 0;
  double mean = 0;
};

inline Agreement Compare(Segmenter* reference, Segmenter* other, const std::vector<std::string>& pictures) {
  size_t pixels = 0;
  size_t equal = 0;
  double difference = 0;
  for (const std::string& picture : pictures) {
    const Segmentation want = Answer(reference, picture);
    const Segmentation got = Answer(other, picture);
    EXPECT_EQ(got.labels.size(), want.labels.size());
    if (got.labels.size() != want.labels.size()) return {};
    pixels += want.labels.size();
    for (size_t i = 0; i < want.labels.size(); ++i) {
      equal += got.labels[i] == want.labels[i] ? 1 : 0;
      difference += std::abs(got.kinds[0].map[i] - want.kinds[0].map[i]);
    }
  }
  const auto count = static_cast<double>(pixels);
  const Agreement agreement{static_cast<double>(equal) / count, difference / count};
  testing::Test::RecordProperty("equal_labels", std::to_string(agreement.share));
  testing::Test::RecordProperty("mean_difference", std::to_string(agreement.mean));
  return agreement;
}

}  // namespace candor
