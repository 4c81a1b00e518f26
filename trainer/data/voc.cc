// SPDX-License-Identifier: Apache-2.0
//
// PASCAL VOC (Everingham et al. 2010): DIR/JPEGImages/NAME.jpg, DIR/SegmentationClass/NAME.png (palette; the index is
// the class, 255 the boundary) and DIR/ImageSets/Segmentation/SPLIT.txt, one NAME a line.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/class_list.h"
#include "trainer/data/dataset.h"
#include "trainer/data/layout.h"

namespace candor {
namespace {

constexpr char kLists[] = "ImageSets/Segmentation";

class Voc : public Layout {
 public:
  Voc(DataFolder folder, std::vector<ClassSpec> classes) : folder_(std::move(folder)), classes_(std::move(classes)) {}

  const std::vector<ClassSpec>& classes() const override { return classes_; }

  std::vector<std::string> Splits() const override { return folder_.FilesWithSuffix(kLists, ".txt"); }

  std::string Expectation() const override {
    return "voc needs JPEGImages, SegmentationClass and ImageSets/Segmentation/SPLIT.txt";
  }

  absl::StatusOr<SplitFiles> List(const std::string& split) const override {
    const std::string list = absl::StrCat(kLists, "/", split, ".txt");
    ASSIGN_OR_RETURN(const std::string text, folder_.ReadText(list));
    ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesFromList(text, folder_.PathOf(list)));
    if (names.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(PathForMessage(folder_.PathOf(list)), ": names no pictures"));
    }
    SplitFiles files;
    files.decode_mask = IndexMask(PlainIndices(static_cast<int>(classes_.size()), {kIgnoreLabel}));
    for (const std::string& name : names) {
      ASSIGN_OR_RETURN(NamedFile image, folder_.Picture(absl::StrCat("JPEGImages/", name)));
      ASSIGN_OR_RETURN(NamedFile mask, folder_.Picture(absl::StrCat("SegmentationClass/", name)));
      files.pairs.push_back({name, std::move(image.path), std::move(mask.path)});
    }
    return files;
  }

 private:
  const DataFolder folder_;
  const std::vector<ClassSpec> classes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Layout>> VocLayout(DataFolder folder) {
  ASSIGN_OR_RETURN(std::vector<ClassSpec> classes, LoadClassList("voc21"));
  return std::make_unique<Voc>(std::move(folder), std::move(classes));
}

}  // namespace candor
