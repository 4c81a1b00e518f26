// SPDX-License-Identifier: Apache-2.0
//
// "LAYOUT:DIR" to a data set.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/model/strict_json.h"
#include "trainer/data/dataset.h"
#include "trainer/data/layout.h"
#include "trainer/data/paired_dataset.h"

namespace candor {
namespace {

absl::StatusOr<std::unique_ptr<Layout>> OpenLayout(const std::string& location) {
  const size_t colon = location.find(':');
  const std::string kind = location.substr(0, colon);
  const bool is_known = kind == "camvid" || kind == "cityscapes" || kind == "voc" || kind == "folder";
  if (colon == std::string::npos || !is_known || colon + 1 == location.size()) {
    return absl::InvalidArgumentError(absl::StrCat("data: must be camvid:DIR, cityscapes:DIR, voc:DIR or folder:DIR, ",
                                                   "got \"", PathForMessage(location), "\""));
  }
  ASSIGN_OR_RETURN(DataFolder folder, DataFolder::Open(location.substr(colon + 1)));
  if (kind == "camvid") return CamvidLayout(std::move(folder));
  if (kind == "cityscapes") return CityscapesLayout(std::move(folder));
  if (kind == "voc") return VocLayout(std::move(folder));
  return FolderLayout(std::move(folder));
}

absl::StatusOr<std::vector<std::string>> SplitsOf(const Layout& layout, const std::string& location) {
  std::vector<std::string> splits = layout.Splits();
  if (splits.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(PathForMessage(location), ": no split found: ", layout.Expectation()));
  }
  return splits;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& location, const std::string& split) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Layout> layout, OpenLayout(location));
  ASSIGN_OR_RETURN(const std::vector<std::string> splits, SplitsOf(*layout, location));
  if (std::find(splits.begin(), splits.end(), split) == splits.end()) {
    return absl::InvalidArgumentError(absl::StrCat(PathForMessage(location), ": no split \"", ForMessage(split),
                                                   "\"; there are ", ForMessage(absl::StrJoin(splits, ", "))));
  }
  ASSIGN_OR_RETURN(SplitFiles files, layout->List(split));
  return MakePairedDataset(layout->classes(), std::move(files));
}

absl::StatusOr<std::vector<std::string>> ListSplits(const std::string& location) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Layout> layout, OpenLayout(location));
  return SplitsOf(*layout, location);
}

}  // namespace candor
