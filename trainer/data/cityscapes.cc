// SPDX-License-Identifier: Apache-2.0
//
// Cityscapes (Cordts et al. 2016):
//   DIR/leftImg8bit/SPLIT/CITY/STEM_leftImg8bit.png (or .jpg)
//   DIR/gtFine/SPLIT/CITY/STEM_gtFine_labelIds.png, or where a split has none of these STEM_gtFine_labelTrainIds.png;
//   gtCoarse in place of gtFine where there is no gtFine
#include <array>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/class_list.h"
#include "trainer/data/dataset.h"
#include "trainer/data/layout.h"

namespace candor {
namespace {

constexpr char kImages[] = "leftImg8bit";
constexpr int kMaxLabelId = 33;

// cityscapesScripts' labels.py: the label ids of training ids 0 to 18. All other label ids are void.
constexpr std::array<int, 19> kLabelIdOfClass = {7,  8,  11, 12, 13, 17, 19, 20, 21, 22,
                                                 23, 24, 25, 26, 27, 28, 31, 32, 33};

IndexTable LabelIds() {
  IndexTable table;
  table.meaning.assign(kMaxLabelId + 1, kIgnoreLabel);
  for (size_t c = 0; c < kLabelIdOfClass.size(); ++c) {
    table.meaning[static_cast<size_t>(kLabelIdOfClass[c])] = static_cast<int16_t>(c);
  }
  return table;
}

IndexTable TrainIds() {
  IndexTable table = PlainIndices(static_cast<int>(kLabelIdOfClass.size()), {kIgnoreLabel});
  table.hint = "looks like labelIds, not labelTrainIds";
  table.hint_min = 19;
  table.hint_max = kMaxLabelId;
  return table;
}

class Cityscapes : public Layout {
 public:
  Cityscapes(DataFolder folder, std::vector<ClassSpec> classes)
      : folder_(std::move(folder)),
        classes_(std::move(classes)),
        truth_(folder_.HasDirectory("gtFine") ? "gtFine" : "gtCoarse") {}

  const std::vector<ClassSpec>& classes() const override { return classes_; }

  std::vector<std::string> Splits() const override {
    std::vector<std::string> splits;
    for (const std::string& split : folder_.Directories(kImages)) {
      if (folder_.HasDirectory(absl::StrCat(truth_, "/", split))) splits.push_back(split);
    }
    return splits;
  }

  std::string Expectation() const override { return "cityscapes needs leftImg8bit/SPLIT/CITY and gtFine/SPLIT/CITY"; }

  absl::StatusOr<SplitFiles> List(const std::string& split) const override {
    const std::string image_root = absl::StrCat(kImages, "/", split);
    const std::string mask_root = absl::StrCat(truth_, "/", split);
    ASSIGN_OR_RETURN(const std::vector<NamedFile> images, InCities(image_root, absl::StrCat("_", kImages)));
    ASSIGN_OR_RETURN(std::vector<NamedFile> masks, InCities(mask_root, absl::StrCat("_", truth_, "_labelIds")));
    MaskDecoder decode_mask = IndexMask(LabelIds());
    if (masks.empty()) {
      ASSIGN_OR_RETURN(masks, InCities(mask_root, absl::StrCat("_", truth_, "_labelTrainIds")));
      decode_mask = IndexMask(TrainIds());
    }
    ASSIGN_OR_RETURN(std::vector<FilePair> pairs, PairByStem(images, masks, folder_.PathOf(image_root)));
    return SplitFiles{std::move(pairs), std::move(decode_mask)};
  }

 private:
  // City by city; a stem begins with its city's name.
  absl::StatusOr<std::vector<NamedFile>> InCities(const std::string& root, const std::string& ending) const {
    std::vector<NamedFile> all;
    for (const std::string& city : folder_.Directories(root)) {
      ASSIGN_OR_RETURN(std::vector<NamedFile> files, folder_.Pictures(absl::StrCat(root, "/", city), ending));
      all.insert(all.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
    }
    return all;
  }

  const DataFolder folder_;
  const std::vector<ClassSpec> classes_;
  const std::string truth_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Layout>> CityscapesLayout(DataFolder folder) {
  ASSIGN_OR_RETURN(std::vector<ClassSpec> classes, LoadClassList("cityscapes19"));
  return std::make_unique<Cityscapes>(std::move(folder), std::move(classes));
}

}  // namespace candor
