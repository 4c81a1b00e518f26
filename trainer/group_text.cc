// SPDX-License-Identifier: Apache-2.0
#include "trainer/group_text.h"

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace candor {

absl::StatusOr<ClassGroup> ParseGroup(absl::string_view text, const std::vector<ClassSpec>& classes) {
  const std::vector<absl::string_view> halves = absl::StrSplit(text, absl::MaxSplits('=', 1));
  if (halves.size() != 2 || halves[0].empty() || halves[1].empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("group: must be NAME=CLASS,CLASS,..., got \"", absl::CHexEscape(text), "\""));
  }
  ClassGroup group;
  group.name = std::string(halves[0]);
  for (const absl::string_view name : absl::StrSplit(halves[1], ',')) {
    const auto found =
        std::find_if(classes.begin(), classes.end(), [&](const ClassSpec& entry) { return entry.name == name; });
    if (found == classes.end()) {
      const auto append_name = [](std::string* out, const ClassSpec& entry) { out->append(entry.name); };
      return absl::InvalidArgumentError(absl::StrCat("group: ", absl::CHexEscape(group.name), ": no class is called \"",
                                                     absl::CHexEscape(name), "\"; there are ",
                                                     absl::StrJoin(classes, ", ", append_name)));
    }
    group.classes.push_back(static_cast<int>(found - classes.begin()));
  }
  return group;
}

}  // namespace candor
