// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/class_weights.h"

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

struct ClassPixels {
  double own = 0;  // of the class
  double all = 0;  // labelled, of the pictures it is in
};

void AddPicture(const ByteMap& labels, std::vector<ClassPixels>* classes) {
  std::array<int64_t, 256> counts{};
  for (const uint8_t label : labels.values) ++counts[label];
  const double labelled = static_cast<double>(labels.values.size() - counts[kIgnoreLabel]);
  for (size_t c = 0; c < classes->size(); ++c) {
    if (counts[c] == 0) continue;
    (*classes)[c].own += static_cast<double>(counts[c]);
    (*classes)[c].all += labelled;
  }
}

std::vector<float> MedianFrequency(const std::vector<ClassPixels>& classes) {
  std::vector<double> frequencies;
  for (const ClassPixels& pixels : classes) {
    if (pixels.own > 0) frequencies.push_back(pixels.own / pixels.all);
  }
  std::sort(frequencies.begin(), frequencies.end());
  const size_t n = frequencies.size();
  const double median = n == 0 ? 0 : (frequencies[(n - 1) / 2] + frequencies[n / 2]) / 2;
  std::vector<float> weights;
  for (const ClassPixels& pixels : classes) {
    weights.push_back(pixels.own > 0 ? static_cast<float>(median / (pixels.own / pixels.all)) : 0);
  }
  return weights;
}

absl::StatusOr<std::vector<float>> ParseWeights(const std::string& text, size_t classes) {
  std::vector<float> weights;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    float weight = 0;
    if (!absl::SimpleAtof(part, &weight) || !(weight >= 0 && weight < 1e6f)) {
      return absl::InvalidArgumentError(
          absl::StrCat("class_weights: must be none, median_frequency or numbers in [0, 1e6) with commas, got \"",
                       absl::CHexEscape(text), "\""));
    }
    weights.push_back(weight);
  }
  if (weights.size() != classes) {
    return absl::InvalidArgumentError(
        absl::StrCat("class_weights: must be one number for each of ", classes, " classes, got ", weights.size()));
  }
  return weights;
}

}  // namespace

absl::StatusOr<std::vector<float>> ClassWeights(const std::string& rule, const Dataset& dataset) {
  if (rule == "none") return std::vector<float>();
  if (rule != "median_frequency") return ParseWeights(rule, dataset.classes().size());
  std::vector<ClassPixels> classes(dataset.classes().size());
  for (int i = 0; i < dataset.size(); ++i) {
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
    AddPicture(picture.labels, &classes);
  }
  return MedianFrequency(classes);
}

}  // namespace candor
