// SPDX-License-Identifier: Apache-2.0
//
// Anybody's own data: DIR/images/SPLIT + DIR/masks/SPLIT, or DIR/SPLIT/images + DIR/SPLIT/labels (or masks), and
// DIR/classes.json:
//   {
//     "classes": [{"name": "background", "colour": [0, 0, 0]}, {"name": "nucleus", "colour": [255, 255, 255]}],
//     "ignore": [255],              values without a class; a number or a list, 255 if absent
//     "map": {"0": 0, "1": 1},      value to class; if absent every value is its class. Others are errors
//     "image_ending": "_image",     between the common name and the suffix of files; "" if absent
//     "mask_ending": "_mask"
//   }
// Masks are PNG of 8 or 16 bits, grey or palette.
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/class_json.h"
#include "core/model/strict_json.h"
#include "trainer/data/dataset.h"
#include "trainer/data/layout.h"

namespace candor {
namespace {

constexpr int64_t kMaxValue = 65535;
constexpr char kManifest[] = "classes.json";

struct Manifest {
  std::vector<ClassSpec> classes;
  std::vector<int> ignored = {kIgnoreLabel};
  std::vector<std::pair<int, int>> map;  // value and class; unused if has_map is false
  bool has_map = false;
  std::string image_ending;
  std::string mask_ending;
};

absl::StatusOr<std::vector<int>> ReadIgnored(const nlohmann::json& value) {
  std::vector<int> ignored;
  if (!value.is_array()) {
    ASSIGN_OR_RETURN(const int64_t number, ReadInteger(value, "ignore", 0, kMaxValue));
    ignored.push_back(static_cast<int>(number));
    return ignored;
  }
  for (size_t i = 0; i < value.size(); ++i) {
    ASSIGN_OR_RETURN(const int64_t number, ReadInteger(value[i], ItemPath("ignore", i), 0, kMaxValue));
    ignored.push_back(static_cast<int>(number));
  }
  return ignored;
}

absl::Status ReadMap(const nlohmann::json& value, Manifest* manifest) {
  if (!value.is_object()) return JsonError("map", "must be an object");
  manifest->has_map = true;
  for (const auto& [key, item] : value.items()) {
    const std::string path = KeyPath("map", key);
    int number = 0;
    if (!absl::SimpleAtoi(key, &number) || number < 0 || number > kMaxValue || absl::StrCat(number) != key) {
      return JsonError(path, "the key must be a mask's value, 0 to 65535");
    }
    const auto last_class = static_cast<int64_t>(manifest->classes.size()) - 1;
    ASSIGN_OR_RETURN(const int64_t label, ReadInteger(item, path, 0, last_class));
    manifest->map.emplace_back(number, static_cast<int>(label));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadEnding(const nlohmann::json& value, const std::string& path) {
  ASSIGN_OR_RETURN(std::string ending, ReadString(value, path));
  if (ending.find('/') != std::string::npos) return JsonError(path, "must not have a slash");
  return ending;
}

absl::StatusOr<Manifest> ParseManifest(absl::string_view text) {
  ASSIGN_OR_RETURN(const nlohmann::json document, ParseStrictJson(text, /*max_depth=*/4));
  std::vector<std::string> keys = {"classes"};
  for (const char* key : {"ignore", "map", "image_ending", "mask_ending"}) {
    if (document.is_object() && document.contains(key)) keys.emplace_back(key);
  }
  RETURN_IF_ERROR(CheckKeys(document, "", keys));
  Manifest manifest;
  ASSIGN_OR_RETURN(manifest.classes, ClassesFromJson(document.at("classes"), "classes"));
  if (document.contains("ignore")) {
    ASSIGN_OR_RETURN(manifest.ignored, ReadIgnored(document.at("ignore")));
  }
  if (document.contains("map")) RETURN_IF_ERROR(ReadMap(document.at("map"), &manifest));
  if (document.contains("image_ending")) {
    ASSIGN_OR_RETURN(manifest.image_ending, ReadEnding(document.at("image_ending"), "image_ending"));
  }
  if (document.contains("mask_ending")) {
    ASSIGN_OR_RETURN(manifest.mask_ending, ReadEnding(document.at("mask_ending"), "mask_ending"));
  }
  return manifest;
}

// InvalidArgument: a value that is ignored and a class at once.
absl::StatusOr<IndexTable> TableOf(const Manifest& manifest) {
  const auto is_ignored = [&](int value) {
    return std::find(manifest.ignored.begin(), manifest.ignored.end(), value) != manifest.ignored.end();
  };
  const int classes = static_cast<int>(manifest.classes.size());
  IndexTable table = PlainIndices(manifest.has_map ? 0 : classes, manifest.ignored);
  for (const auto& [value, label] : manifest.map) {
    if (is_ignored(value)) return JsonError(KeyPath("map", absl::StrCat(value)), "is in \"ignore\" too");
    const auto at = static_cast<size_t>(value);
    if (at >= table.meaning.size()) table.meaning.resize(at + 1, IndexTable::kUnknownValue);
    table.meaning[at] = static_cast<int16_t>(label);
  }
  for (int value = 0; value < classes && !manifest.has_map; ++value) {
    if (is_ignored(value)) return JsonError("ignore", absl::StrCat(value, " is a class; give a \"map\""));
  }
  return table;
}

class Folder : public Layout {
 public:
  Folder(DataFolder folder, Manifest manifest, IndexTable table)
      : folder_(std::move(folder)), manifest_(std::move(manifest)), table_(std::move(table)) {}

  const std::vector<ClassSpec>& classes() const override { return manifest_.classes; }

  std::vector<std::string> Splits() const override {
    std::vector<std::string> splits;
    if (folder_.HasDirectory("images")) {
      for (const std::string& name : folder_.Directories("images")) {
        if (folder_.HasDirectory("masks/" + name)) splits.push_back(name);
      }
      return splits;
    }
    for (const std::string& name : folder_.Directories("")) {
      if (folder_.HasDirectory(name + "/images") && !MasksBelow(name).empty()) splits.push_back(name);
    }
    return splits;
  }

  std::string Expectation() const override {
    return "folder needs images/SPLIT and masks/SPLIT, or SPLIT/images and SPLIT/labels";
  }

  absl::StatusOr<SplitFiles> List(const std::string& split) const override {
    const bool split_is_below = folder_.HasDirectory("images");
    const std::string image_folder = split_is_below ? "images/" + split : split + "/images";
    const std::string mask_folder = split_is_below ? "masks/" + split : MasksBelow(split);
    ASSIGN_OR_RETURN(const auto images, folder_.Pictures(image_folder, manifest_.image_ending));
    ASSIGN_OR_RETURN(const auto masks, folder_.Pictures(mask_folder, manifest_.mask_ending));
    ASSIGN_OR_RETURN(std::vector<FilePair> pairs, PairByStem(images, masks, folder_.PathOf(image_folder)));
    return SplitFiles{std::move(pairs), IndexMask(table_)};
  }

 private:
  // SPLIT/labels or SPLIT/masks, or "" where there is neither.
  std::string MasksBelow(const std::string& split) const {
    for (const char* name : {"/labels", "/masks"}) {
      if (folder_.HasDirectory(split + name)) return split + name;
    }
    return "";
  }

  const DataFolder folder_;
  const Manifest manifest_;
  const IndexTable table_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Layout>> FolderLayout(DataFolder folder) {
  const std::string path = folder.PathOf(kManifest);
  if (!folder.HasFile(kManifest)) {
    return absl::InvalidArgumentError(absl::StrCat(PathForMessage(path), ": missing; it names the classes"));
  }
  const auto in_file = [&](const absl::Status& status) {
    return absl::InvalidArgumentError(absl::StrCat(PathForMessage(path), ": ", status.message()));
  };
  ASSIGN_OR_RETURN(const std::string text, folder.ReadText(kManifest));
  auto manifest = ParseManifest(text);
  if (!manifest.ok()) return in_file(manifest.status());
  auto table = TableOf(*manifest);
  if (!table.ok()) return in_file(table.status());
  return std::make_unique<Folder>(std::move(folder), *std::move(manifest), *std::move(table));
}

}  // namespace candor
