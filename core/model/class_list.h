// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/model_spec.h"

namespace candor {

// "camvid11", "cityscapes19", "voc21", or the path of a JSON file [{"name": "road", "colour": [128, 64, 128]}, ...], or
// of one that has such a list as "classes", as a data set's classes.json.
// InvalidArgument names the file and the rule broken: 2 to 255 classes, names unique and not empty, colours 0 to 255.
absl::StatusOr<std::vector<ClassSpec>> LoadClassList(const std::string& name_or_path);

// The names with commas between them, for messages.
std::string ClassNames(const std::vector<ClassSpec>& classes);

}  // namespace candor
