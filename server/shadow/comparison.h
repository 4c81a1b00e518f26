// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/uncertainty/segmentation.h"

namespace candor {

// How far two models agree on one picture, over all its pixels.
struct Comparison {
  double agreement = 0;  // share of pixels with one label, in [0, 1]
  double rmse = 0;       // of the first kind's maps, in its unit
  // Pearson's correlation of these maps, in [-1, 1]; 0 where one of them is constant.
  double correlation = 0;
};

// Both of one size, with labels and the map of their first kind, of at least one pixel.
Comparison Compare(const Segmentation& a, const Segmentation& b);

}  // namespace candor
