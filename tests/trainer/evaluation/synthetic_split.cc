// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/evaluation/synthetic_split.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

constexpr int kPictures = 3;

// Pixel `g` counts through all pictures.
void AddPixel(uint64_t g, SyntheticPicture* picture) {
  constexpr int kClasses = SyntheticPicture::kClasses;
  const size_t i = g % SyntheticPicture::kPixels;
  const int truth = static_cast<int>(static_cast<double>(SyntheticUnit(2, g)) * 5);
  const int stray = static_cast<int>(static_cast<double>(SyntheticUnit(5, g)) * 6);
  const int favoured = SyntheticUnit(4, g) < 0.75f ? truth : stray;
  double weights[kClasses] = {};
  for (int c = 0; c < kClasses - 1; ++c) {
    const double u = SyntheticUnit(10 + c, g);
    weights[c] = u * u + (c == favoured ? 3 * static_cast<double>(SyntheticUnit(3, g)) : 0);
  }
  for (int c = 0; c < kClasses && g % 97 == 0; ++c) weights[c] = c == favoured ? 1 : 0;
  double total = 0;
  for (double weight : weights) total += weight;

  float p[kClasses];
  double entropy = 0;
  for (int c = 0; c < kClasses; ++c) {
    p[c] = static_cast<float>(weights[c] / total);
    picture->probabilities[c * SyntheticPicture::kPixels + i] = p[c];
    if (p[c] > 0) entropy -= p[c] * std::log(static_cast<double>(p[c]));
  }
  const auto label = static_cast<uint8_t>(std::max_element(p, p + kClasses) - p);
  std::sort(p, p + kClasses);
  const double first = p[kClasses - 1];
  const double second = p[kClasses - 2];
  picture->truth[i] = g % 10 == 3 ? 255 : static_cast<uint8_t>(truth);
  picture->labels[i] = label;
  picture->unknown_mask[i] = g % 7 == 0 ? 1 : (g % 11 == 0 ? 255 : 0);
  picture->kinds[0][i] =
      static_cast<float>((std::floor((1 - first) * 9) * 6000 + static_cast<double>(g * 1009 % 6000)) / 65536);
  picture->kinds[1][i] = static_cast<float>(std::floor((1 - (first - second)) * 16) / 16);
  picture->kinds[2][i] = static_cast<float>(entropy);
  picture->teacher_uncertainty[i] = SyntheticUnit(20, g) * 0.5f;
  picture->student_uncertainty[i] = 0.75f * picture->teacher_uncertainty[i] + 0.125f * SyntheticUnit(21, g);
  picture->teacher_labels[i] = SyntheticUnit(22, g) < 0.9f ? label : static_cast<uint8_t>(stray);
}

}  // namespace

float SyntheticUnit(uint64_t stream, uint64_t index) {
  uint64_t z = index + (stream << 32);
  z = (z + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return static_cast<float>(static_cast<double>(z >> 40) / 16777216);
}

ScoredPicture SyntheticPicture::Scored() const {
  ScoredPicture picture;
  picture.name = name;
  picture.width = kWidth;
  picture.height = kHeight;
  picture.truth = truth.data();
  picture.labels = labels.data();
  for (const std::vector<float>& map : kinds) picture.kind_maps.push_back(map.data());
  picture.probabilities = probabilities.data();
  picture.unknown_mask = unknown_mask.data();
  return picture;
}

std::vector<SyntheticPicture> SyntheticSplit() {
  std::vector<SyntheticPicture> pictures(kPictures);
  for (int n = 0; n < kPictures; ++n) {
    SyntheticPicture& picture = pictures[n];
    picture.name = absl::StrCat("picture", n);
    for (auto* map : {&picture.truth, &picture.labels, &picture.unknown_mask, &picture.teacher_labels}) {
      map->resize(SyntheticPicture::kPixels);
    }
    for (auto* map : {&picture.teacher_uncertainty, &picture.student_uncertainty}) {
      map->resize(SyntheticPicture::kPixels);
    }
    picture.probabilities.resize(static_cast<size_t>(SyntheticPicture::kClasses) * SyntheticPicture::kPixels);
    picture.kinds.assign(kSyntheticKinds.size(), std::vector<float>(SyntheticPicture::kPixels));
    for (int i = 0; i < SyntheticPicture::kPixels; ++i) AddPixel(n * SyntheticPicture::kPixels + i, &picture);
  }
  return pictures;
}

}  // namespace candor
