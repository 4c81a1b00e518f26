// SPDX-License-Identifier: Apache-2.0
//
// Answers of stripes: labels by row, uncertainty by column.
#include "bench/serving/empty_segmenter.h"

#include <string>
#include <utility>

#include "core/base/float16.h"

namespace candor {
namespace {

constexpr int kClasses = 19;

Segmentation MakeAnswer(int width, int height, bool as_halves) {
  Segmentation answer;
  answer.width = width;
  answer.height = height;
  answer.members = 1;
  answer.classes.resize(kClasses);
  KindResult kind;
  kind.statistics.kind = UncertaintyKind::kPredictiveStddev;
  for (int y = 0; y < height; ++y) {
    const int label = y % kClasses;
    answer.labels.insert(answer.labels.end(), static_cast<size_t>(width), static_cast<uint8_t>(label));
    answer.classes[static_cast<size_t>(label)].pixels += width;
    for (int x = 0; x < width; ++x) {
      const float uncertainty = static_cast<float>(x) / static_cast<float>(2 * width);
      if (as_halves) kind.halves.push_back(FloatToHalf(uncertainty));
      if (!as_halves) kind.map.push_back(uncertainty);
    }
  }
  answer.kinds.push_back(std::move(kind));
  return answer;
}

}  // namespace

EmptySegmenter::EmptySegmenter() {
  info_.name = "empty";
  info_.digest = std::string(64, '0');
  info_.spec.kind = ModelKind::kStudent;
  for (int i = 0; i < kClasses; ++i) info_.spec.classes.push_back({"class" + std::to_string(i), {}});
  info_.spec.learned = {UncertaintyKind::kPredictiveStddev};
  info_.spec.uncertainty = {UncertaintyKind::kPredictiveStddev};
  info_.spec.weights.resize(1);
  info_.device = "cpu";
}

absl::StatusOr<std::vector<Segmentation>> EmptySegmenter::SegmentBatch(absl::Span<const SegmentItem> items,
                                                                       const MemberChecks& /*checks*/) {
  const Picture& picture = *items[0].picture;
  const bool as_halves = items[0].request.kinds[0].as_halves;
  Segmentation& answer = answers_[as_halves ? 1 : 0];
  if (answer.width != picture.width() || answer.height != picture.height()) {
    answer = MakeAnswer(picture.width(), picture.height(), as_halves);
  }
  return std::vector<Segmentation>(items.size(), answer);
}

}  // namespace candor
