// SPDX-License-Identifier: Apache-2.0
//
// The crop's place is drawn first, then only its pixels are resampled: equal to scaling and padding the whole picture,
// at the cost of the crop.
#include "trainer/data/augmentation.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/image/resize.h"
#include "trainer/data/colour_jitter.h"
#include "trainer/data/keyed_draws.h"

namespace candor {
namespace {

float DrawScale(const AugmentOptions& options, KeyedDraws* draws) {
  const double half = draws->Uniform();
  const double place = draws->Uniform();
  double min = options.min_scale;
  double max = options.max_scale;
  if (options.scale_sampling == ScaleSampling::kHalves) (half < 0.5 ? max : min) = 1;
  return static_cast<float>(min + (max - min) * place);
}

// In float, so that 30 times 1.4f is 42.
int Scaled(int size, float scale) { return std::max(1, static_cast<int>(static_cast<float>(size) * scale)); }

// One side of the crop: where its pixels come from.
struct CropSide {
  int source = 0;  // first pixel of the scaled picture that is needed
  int target = 0;  // where it goes in the crop, before flipping
  int count = 0;   // pixels taken; the rest is padding
};

// A scaled side of `size` pixels, centred in at least `crop` pixels (the odd one goes behind), cropped at `offset`.
CropSide PlaceSide(int size, int crop, int offset) {
  const int before = std::max(0, crop - size) / 2;
  const int first = std::max(0, offset - before);
  const int target = std::max(0, before - offset);
  return {first, target, std::min(size - first, crop - target)};
}

template <typename T>
void MirrorRows(int width, int channels, std::vector<T>* values) {
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(channels);
  for (size_t start = 0; start < values->size(); start += row) {
    T* left = values->data() + start;
    T* right = left + row - channels;
    for (; left < right; left += channels, right -= channels) std::swap_ranges(left, left + channels, right);
  }
}

// The crop with `image` and `labels`, which are of the sides' counts, put in their place.
Crop Place(const Image& image, const ByteMap& labels, const CropSide& x, const CropSide& y, int crop) {
  const size_t pixels = static_cast<size_t>(crop) * static_cast<size_t>(crop);
  Crop result;
  result.picture.image = {crop, crop, std::vector<uint8_t>(pixels * 3)};
  result.picture.labels = {crop, crop, std::vector<uint8_t>(pixels, kIgnoreLabel)};
  result.padding.assign(pixels, 1);
  for (int row = 0; row < y.count; ++row) {
    const size_t from = static_cast<size_t>(row) * static_cast<size_t>(x.count);
    const size_t to = static_cast<size_t>(y.target + row) * static_cast<size_t>(crop) + static_cast<size_t>(x.target);
    const auto count = static_cast<size_t>(x.count);
    std::memcpy(result.picture.image.pixels.data() + to * 3, image.pixels.data() + from * 3, count * 3);
    std::memcpy(result.picture.labels.values.data() + to, labels.values.data() + from, count);
    std::memset(result.padding.data() + to, 0, count);
  }
  return result;
}

float DrawFactor(float change, KeyedDraws* draws) {
  return static_cast<float>(draws->Uniform(std::max(0.0f, 1 - change), 1 + change));
}

}  // namespace

Crop Augment(const LabelledPicture& picture, const AugmentOptions& options, const SampleKey& key) {
  KeyedDraws draws(
      KeyedDraws::KeyOf(DrawPurpose::kAugment, {key.seed, static_cast<uint64_t>(key.member),
                                                static_cast<uint64_t>(key.epoch), static_cast<uint64_t>(key.sample)}));
  const float scale = DrawScale(options, &draws);
  const bool flip = draws.Uniform() < options.flip_probability;
  const int crop = options.crop;
  const int width = Scaled(picture.image.width, scale);
  const int height = Scaled(picture.image.height, scale);
  int left = draws.Below(std::max(width, crop) - crop + 1);
  const int top = draws.Below(std::max(height, crop) - crop + 1);
  // The offset counts in the flipped picture.
  if (flip) left = std::max(width, crop) - crop - left;

  const CropSide x = PlaceSide(width, crop, left);
  const CropSide y = PlaceSide(height, crop, top);
  const PixelWindow window = {x.source, y.source, x.count, y.count};
  Crop result = Place(ResizeBilinear(picture.image, width, height, window),
                      ResizeNearest(picture.labels, width, height, window), x, y, crop);
  if (flip) {
    MirrorRows(crop, 3, &result.picture.image.pixels);
    MirrorRows(crop, 1, &result.picture.labels.values);
    MirrorRows(crop, 1, &result.padding);
  }
  const ColourJitter& jitter = options.jitter;
  if (jitter.brightness > 0 || jitter.contrast > 0 || jitter.saturation > 0 || jitter.hue > 0) {
    ColourChange change;
    change.brightness = DrawFactor(jitter.brightness, &draws);
    change.contrast = DrawFactor(jitter.contrast, &draws);
    change.saturation = DrawFactor(jitter.saturation, &draws);
    change.hue = static_cast<float>(draws.Uniform(-jitter.hue, jitter.hue));
    ChangeColours(change, result.padding, &result.picture.image);
  }
  return result;
}

std::vector<int> EpochOrder(uint64_t seed, int member, int epoch, int size) {
  std::vector<int> order(static_cast<size_t>(std::max(size, 0)));
  std::iota(order.begin(), order.end(), 0);
  KeyedDraws draws(
      KeyedDraws::KeyOf(DrawPurpose::kEpochOrder, {seed, static_cast<uint64_t>(member), static_cast<uint64_t>(epoch)}));
  for (int i = size - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(draws.Below(i + 1))]);
  return order;
}

}  // namespace candor
