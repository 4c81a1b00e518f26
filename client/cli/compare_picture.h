// SPDX-License-Identifier: Apache-2.0
//
// Two models' answers to one picture, drawn side by side.
#pragma once

#include <vector>

#include "core/image/image.h"

namespace candor {

struct ModelAnswer {
  const ByteMap& labels;
  const FloatMap& uncertainty;
};

// Three columns and two rows, 4 white pixels apart: the picture, the student's and the teacher's classes over it; the
// uncertainty of the student, that of the teacher (bright = `heat_max` or more), and in red where the labels differ.
// All maps have the picture's size.
Image DrawComparison(const Image& picture, const ModelAnswer& student, const ModelAnswer& teacher,
                     const std::vector<Colour>& colours, float heat_max);

}  // namespace candor
