// SPDX-License-Identifier: Apache-2.0
//
// Changes of colour as torchvision's ColorJitter makes them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/image/image.h"

namespace candor {

struct ColourChange {
  float brightness = 1;  // factor
  float contrast = 1;    // factor of the distance to the mean grey
  float saturation = 1;  // factor of the distance to the pixel's own grey
  float hue = 0;         // turn, in circles, [-0.5, 0.5]
};

// In the order of the fields, each clamped to [0, 255], rounded once at the end. Pixels whose `padding` is 1 stay as
// they are and do not count for the mean.
void ChangeColours(const ColourChange& change, const std::vector<uint8_t>& padding, Image* image);

}  // namespace candor
