// SPDX-License-Identifier: Apache-2.0
//
// A data set of pictures made up in memory, for the tests of what comes after reading.
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainer/data/dataset.h"

namespace candor {

class MemoryDataset : public Dataset {
 public:
  // Reading `broken` fails.
  explicit MemoryDataset(std::vector<LabelledPicture> pictures, int broken = -1)
      : pictures_(std::move(pictures)), broken_(broken) {
    for (size_t i = 0; i < pictures_.size(); ++i) names_.push_back(absl::StrCat("picture", i));
  }

  const std::vector<ClassSpec>& classes() const override { return classes_; }
  int size() const override { return static_cast<int>(pictures_.size()); }
  const std::string& name(int index) const override { return names_[static_cast<size_t>(index)]; }
  absl::StatusOr<LabelledPicture> Read(int index) const override {
    ++reads_;
    if (index == broken_) return absl::DataLossError("picture: broken");
    return pictures_[static_cast<size_t>(index)];
  }
  absl::StatusOr<std::string> Fingerprint() const override { return std::string(64, '0'); }

  int reads() const { return reads_; }

 private:
  std::vector<LabelledPicture> pictures_;
  int broken_;
  std::vector<ClassSpec> classes_ = {{"background", {0, 0, 0}}, {"thing", {255, 255, 255}}};
  std::vector<std::string> names_;
  mutable std::atomic<int> reads_{0};
};

// Every pixel is (value, x, y), every label `label`.
inline LabelledPicture MakePicture(int width, int height, int value, uint8_t label) {
  LabelledPicture picture;
  picture.image = {width, height, {}};
  picture.labels = {width, height, std::vector<uint8_t>(static_cast<size_t>(width * height), label)};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int v : {value, x, y}) picture.image.pixels.push_back(static_cast<uint8_t>(v));
    }
  }
  return picture;
}

// `count` pictures of 20 x 14 whose first channel is their index.
inline std::vector<LabelledPicture> MakePictures(int count) {
  std::vector<LabelledPicture> pictures;
  for (int i = 0; i < count; ++i) pictures.push_back(MakePicture(20, 14, i, static_cast<uint8_t>(i % 2)));
  return pictures;
}

}  // namespace candor
