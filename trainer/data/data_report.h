// SPDX-License-Identifier: Apache-2.0
//
// What a data set holds and what is wrong with it, as text and JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_spec.h"

namespace candor {

// Of the pictures that could be read.
struct SplitReport {
  std::string split;
  int pictures = 0;
  int64_t pixels = 0;
  std::vector<int64_t> class_pixels;
  int64_t void_pixels = 0;
  std::map<std::pair<int, int>, int> sizes;  // width and height to number of pictures

  // Indices of the classes without a pixel.
  std::vector<int> MissingClasses() const;
};

// Pictures of equal pixels.
struct EqualPictures {
  std::string split;
  std::string other_split;  // the same one: twice in it
  int count = 0;
  std::string name;  // the first one, and its equal in the other split
  std::string other_name;
};

struct DataReport {
  std::string location;
  std::vector<ClassSpec> classes;
  std::vector<SplitReport> splits;
  std::vector<EqualPictures> equal_pictures;
  std::vector<std::string> errors;  // the first kMaxErrors
  int64_t error_count = 0;

  static constexpr size_t kMaxErrors = 20;
};

// Tables of splits and of each class's share of pixels in percent, then warnings (a class without a pixel, equal
// pictures) and errors.
std::string DataReportText(const DataReport& report);
// One indented JSON object, ending in a newline: "location", "splits" (by name: "pictures", "pixels", "sizes",
// "class_pixels", "class_share" of all pixels, "void_pixels", "void_share", "missing_classes"), "equal_pictures",
// "error_count", "errors".
std::string DataReportJson(const DataReport& report);

}  // namespace candor
