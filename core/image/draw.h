// SPDX-License-Identifier: Apache-2.0
//
// Labels and uncertainty as pictures.
#pragma once

#include <vector>

#include "core/image/image.h"

namespace candor {

// The colour of each label; a label without a colour is black.
Image ColourLabels(const ByteMap& labels, const std::vector<Colour>& colours);

// `opacity` of `over` on `under`, same size; opacity in [0, 1].
Image Blend(const Image& under, const Image& over, float opacity);

// A perceptually even, colour-blind safe heat map (dark = 0, bright = `range_max` or more).
Image HeatMap(const FloatMap& map, float range_max);

}  // namespace candor
