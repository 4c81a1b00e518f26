// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "core/image/image.h"

namespace candor {

// Turns and mirrors a picture stored with EXIF orientation 1 to 8 so that it is upright; 5 to 8 swap width and height.
// Other values leave it as it is. Internal: OpenCV failed.
absl::StatusOr<Image> TurnUpright(Image stored, int orientation);

}  // namespace candor
