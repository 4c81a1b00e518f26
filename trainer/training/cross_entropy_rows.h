// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of the fused cross-entropy, without Torch. Classes lie beside each other in memory, so that a vector
// holds the classes of one pixel; vectorised with Highway for the instruction set found at run time.
#pragma once

#include <cstdint>
#include <vector>

#include "core/uncertainty/fused_reduction.h"

namespace candor {

// Sums over the labelled pixels of one picture.
struct CrossEntropySums {
  double loss = 0;    // of weight * -ln p_y
  double weight = 0;  // number of labelled pixels, or the sum of their classes' weights
};

struct CrossEntropyJob {
  int classes = 0;
  int low_height = 0;
  int low_width = 0;
  const float* logits = nullptr;         // [low_height][low_width][classes]
  const uint8_t* labels = nullptr;       // [4 low_height][4 low_width], a class or 255 (checked before)
  const float* class_weights = nullptr;  // [classes], or null: all 1
  float* gradient = nullptr;             // out: [low_height][low_width][classes], of sums.loss by the logits
};

// One picture: loss and gradient of its scores upsampled by 4 (align_corners). `columns` and `rows` are the upsampling
// of its two axes. Thread-safe for different jobs.
CrossEntropySums CrossEntropyOfPicture(const CrossEntropyJob& job, const UpsampleTable& columns,
                                       const UpsampleTable& rows);

}  // namespace candor
