// SPDX-License-Identifier: Apache-2.0
//
// The paper's augmentation (DUDES, section 4.1), a pure function of the picture and its place in training: nothing
// depends on what ran before, so a position restores the stream.
#pragma once

#include <cstdint>
#include <vector>

#include "core/image/image.h"
#include "trainer/data/dataset.h"

namespace candor {

// kHalves: half of the time uniform in [min, 1], half in [1, max] (the authors' code). kUniform: uniform in [min, max].
enum class ScaleSampling { kHalves, kUniform };

// Largest relative change (hue: share of the circle), each drawn uniformly; 0 is off.
struct ColourJitter {
  float brightness = 0;
  float contrast = 0;
  float saturation = 0;
  float hue = 0;
};

struct AugmentOptions {
  int crop = 256;  // side of the square result, a multiple of 16
  float min_scale = 0.5f;
  float max_scale = 2.0f;
  ScaleSampling scale_sampling = ScaleSampling::kHalves;
  float flip_probability = 0.5f;
  ColourJitter jitter;
};

// Where a sample stands in training; all randomness of its augmentation comes from here.
struct SampleKey {
  uint64_t seed = 0;
  int member = 0;
  int epoch = 0;
  int sample = 0;  // index in the data set
};

// A square crop. `padding` is 1 where the crop reaches beyond the scaled picture (image 0, label kIgnoreLabel there).
struct Crop {
  LabelledPicture picture;
  std::vector<uint8_t> padding;  // [crop][crop]
};

// Scale (bilinear without antialias, size rounded down; labels nearest), centred padding up to the crop, flip, random
// crop, colour jitter: in this order.
Crop Augment(const LabelledPicture& picture, const AugmentOptions& options, const SampleKey& key);

// The order in which epoch `epoch` of a member visits `size` samples: a permutation of 0 .. size - 1 that follows from
// the three numbers.
std::vector<int> EpochOrder(uint64_t seed, int member, int epoch, int size);

}  // namespace candor
