// SPDX-License-Identifier: Apache-2.0
//
// CamVid (Brostow, Fauqueur, Cipolla 2009) in the forms people have it in:
//   DIR/SPLIT/images + DIR/SPLIT/labels, or DIR/SPLIT + DIR/SPLITannot: SegNet's 11 classes as indices, void 11
//   DIR/SPLIT + DIR/SPLIT_labels, masks NAME_L.png or NAME.png: 32 classes as colours
//   DIR/701_StillsRaw_full + DIR/LabeledApproved_full, masks NAME_L.png: the same; the splits are lists DIR/SPLIT.txt,
//   or without any list one split "all"
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/model/class_list.h"
#include "trainer/data/dataset.h"
#include "trainer/data/layout.h"

namespace candor {
namespace {

constexpr int kVoid = 11;
constexpr char kRawFolder[] = "701_StillsRaw_full";
constexpr char kRawLabels[] = "LabeledApproved_full";
constexpr char kRawEnding[] = "_L";
constexpr char kAll[] = "all";

enum class Form { kSubfolders, kAnnot, kColourFolders, kRaw };

// The 32 colours of the original's label_colors.txt, merged to 11 classes as SegNet does.
std::vector<ColourMeaning> RawColours() {
  constexpr uint8_t kSky = 0, kBuilding = 1, kPole = 2, kRoad = 3, kPavement = 4, kTree = 5, kSign = 6, kFence = 7,
                    kCar = 8, kPedestrian = 9, kBicyclist = 10;
  return {{{128, 128, 128}, kSky},       {{128, 0, 0}, kBuilding}, {{0, 128, 64}, kBuilding},  // bridge
          {{64, 192, 0}, kBuilding},                                                           // wall
          {{64, 0, 64}, kBuilding},                                                            // tunnel
          {{192, 0, 128}, kBuilding},                                                          // archway
          {{192, 192, 128}, kPole},                                                            // column or pole
          {{0, 0, 64}, kPole},                                                                 // traffic cone
          {{128, 64, 128}, kRoad},                                                             //
          {{128, 0, 192}, kRoad},                                                              // lane markings, driving
          {{192, 0, 64}, kRoad},                                                               // lane markings, other
          {{0, 0, 192}, kPavement},                                                            // sidewalk
          {{64, 192, 128}, kPavement},                                                         // parking block
          {{128, 128, 192}, kPavement},                                                        // road shoulder
          {{128, 128, 0}, kTree},                                                              //
          {{192, 192, 0}, kTree},                                                              // other vegetation
          {{192, 128, 128}, kSign},                                                            // sign symbol
          {{128, 128, 64}, kSign},                                                             // other text
          {{0, 64, 64}, kSign},                                                                // traffic light
          {{64, 64, 128}, kFence},                                                             //
          {{64, 0, 128}, kCar},                                                                //
          {{64, 128, 192}, kCar},                                                              // SUV or pickup truck
          {{192, 128, 192}, kCar},                                                             // truck or bus
          {{192, 64, 128}, kCar},                                                              // train
          {{128, 64, 64}, kCar},                                                               // other moving
          {{64, 64, 0}, kPedestrian},                                                          //
          {{192, 128, 64}, kPedestrian},                                                       // child
          {{64, 0, 192}, kPedestrian},                                                         // cart, luggage, pram
          {{64, 128, 64}, kPedestrian},                                                        // animal
          {{0, 128, 192}, kBicyclist},                                                         //
          {{192, 0, 192}, kBicyclist},                                                         // motorcycle or scooter
          {{0, 0, 0}, kIgnoreLabel}};
}

class Camvid : public Layout {
 public:
  Camvid(DataFolder folder, std::vector<ClassSpec> classes)
      : folder_(std::move(folder)), classes_(std::move(classes)), form_(FindForm()) {}

  const std::vector<ClassSpec>& classes() const override { return classes_; }

  std::vector<std::string> Splits() const override { return SplitsOf(form_); }

  std::string Expectation() const override {
    return "camvid needs SPLIT/images and SPLIT/labels, SPLIT and SPLITannot, SPLIT and SPLIT_labels, or "
           "701_StillsRaw_full and LabeledApproved_full";
  }

  absl::StatusOr<SplitFiles> List(const std::string& split) const override {
    switch (form_) {
      case Form::kSubfolders:
        return ListFolders(split + "/images", split + "/labels", "", Indices());
      case Form::kAnnot:
        return ListFolders(split, split + "annot", "", Indices());
      case Form::kColourFolders:
        return ListFolders(split, split + "_labels", ColourEnding(split), ColourMask(RawColours()));
      case Form::kRaw:
        return ListRaw(split);
    }
    return absl::InternalError("camvid: unknown form");
  }

 private:
  Form FindForm() const {
    for (Form form : {Form::kSubfolders, Form::kAnnot, Form::kColourFolders}) {
      if (!SplitsOf(form).empty()) return form;
    }
    return Form::kRaw;
  }

  std::vector<std::string> SplitsOf(Form form) const {
    if (form == Form::kRaw) return RawSplits();
    std::vector<std::string> splits;
    for (const std::string& name : folder_.Directories("")) {
      const bool is_split = form == Form::kSubfolders
                                ? folder_.HasDirectory(name + "/images") && folder_.HasDirectory(name + "/labels")
                                : folder_.HasDirectory(name + (form == Form::kAnnot ? "annot" : "_labels"));
      if (is_split) splits.push_back(name);
    }
    return splits;
  }

  std::vector<std::string> RawSplits() const {
    if (!folder_.HasDirectory(kRawFolder) || !folder_.HasDirectory(kRawLabels)) return {};
    std::vector<std::string> lists;
    for (const char* name : {"test", "train", "trainval", "val"}) {
      if (folder_.HasFile(absl::StrCat(name, ".txt"))) lists.emplace_back(name);
    }
    return lists.empty() ? std::vector<std::string>{kAll} : lists;
  }

  static MaskDecoder Indices() { return IndexMask(PlainIndices(kVoid, {kVoid, kIgnoreLabel})); }

  absl::StatusOr<SplitFiles> ListFolders(const std::string& images, const std::string& masks, absl::string_view ending,
                                         MaskDecoder decode_mask) const {
    ASSIGN_OR_RETURN(const std::vector<NamedFile> image_files, folder_.Pictures(images, ""));
    ASSIGN_OR_RETURN(const std::vector<NamedFile> mask_files, folder_.Pictures(masks, ending));
    ASSIGN_OR_RETURN(std::vector<FilePair> pairs, PairByStem(image_files, mask_files, folder_.PathOf(images)));
    return SplitFiles{std::move(pairs), std::move(decode_mask)};
  }

  // Some copies have dropped the ending.
  std::string ColourEnding(const std::string& split) const {
    const auto masks = folder_.Pictures(split + "_labels", kRawEnding);
    return masks.ok() && masks->empty() ? "" : kRawEnding;
  }

  absl::StatusOr<SplitFiles> ListRaw(const std::string& split) const {
    ASSIGN_OR_RETURN(SplitFiles files, ListFolders(kRawFolder, kRawLabels, kRawEnding, ColourMask(RawColours())));
    if (!folder_.HasFile(split + ".txt")) return files;
    ASSIGN_OR_RETURN(const std::vector<std::string> listed, ListedStems(split + ".txt"));
    const std::set<std::string> wanted(listed.begin(), listed.end());
    std::vector<FilePair> chosen;
    for (FilePair& pair : files.pairs) {
      if (wanted.count(pair.name) > 0) chosen.push_back(std::move(pair));
    }
    if (chosen.empty() || chosen.size() != wanted.size()) {
      return absl::InvalidArgumentError(absl::StrCat(PathForMessage(folder_.PathOf(split + ".txt")), ": names ",
                                                     wanted.size(), " pictures, of which ", chosen.size(), " are in ",
                                                     kRawFolder));
    }
    files.pairs = std::move(chosen);
    return files;
  }

  // SegNet's lists have paths of another machine in two columns: the first one's file name counts.
  absl::StatusOr<std::vector<std::string>> ListedStems(const std::string& list) const {
    ASSIGN_OR_RETURN(const std::string text, folder_.ReadText(list));
    std::string names;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      const std::vector<absl::string_view> columns = absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
      if (columns.empty()) continue;
      absl::string_view name = columns.front().substr(columns.front().rfind('/') + 1);
      if (absl::EndsWithIgnoreCase(name, ".png") || absl::EndsWithIgnoreCase(name, ".jpg")) name.remove_suffix(4);
      absl::StrAppend(&names, name, "\n");
    }
    return NamesFromList(names, folder_.PathOf(list));
  }

  const DataFolder folder_;
  const std::vector<ClassSpec> classes_;
  const Form form_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Layout>> CamvidLayout(DataFolder folder) {
  ASSIGN_OR_RETURN(std::vector<ClassSpec> classes, LoadClassList("camvid11"));
  return std::make_unique<Camvid>(std::move(folder), std::move(classes));
}

}  // namespace candor
