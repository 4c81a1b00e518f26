// SPDX-License-Identifier: Apache-2.0
//
// Pictures with objects of no known class, in the layout of SegmentMeIfYouCan and the like.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/image/image.h"

namespace candor {

struct UnknownPair {
  std::string name;
  std::string image_file;
  std::string mask_file;
};

struct UnknownPicture {
  Image image;
  ByteMap mask;  // 0 ordinary, 1 unknown object, 255 left out
};

// The pictures of FOLDER/images (.jpg, .jpeg, .png) that have a mask in FOLDER/labels_masks or
// FOLDER/labels: NAME.png or NAME_labels_semantic.png; by name. NotFound: no FOLDER/images. InvalidArgument: no pair.
absl::StatusOr<std::vector<UnknownPair>> FindUnknownPairs(const std::string& folder);

// Reads a pair; every mask value but 0 and 1 becomes 255. Errors as Dataset::Read.
absl::StatusOr<UnknownPicture> ReadUnknownPair(const UnknownPair& pair);

}  // namespace candor
