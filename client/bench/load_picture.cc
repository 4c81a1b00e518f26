// SPDX-License-Identifier: Apache-2.0
#include "client/bench/load_picture.h"

#include <random>

#include "core/base/status_macros.h"
#include "core/image/decode.h"

namespace candor {

Image GeneratedImage(int width, int height) {
  Image image{width, height, {}};
  image.pixels.reserve(static_cast<size_t>(width) * height * 3);
  std::mt19937 random(1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int noise = static_cast<int>(random() & 15U);
      const int block = (x / 48 + y / 48) % 2 == 0 ? 60 : 0;
      image.pixels.push_back(static_cast<uint8_t>(x * 160 / width + block + noise));
      image.pixels.push_back(static_cast<uint8_t>(y * 160 / height + block + noise));
      image.pixels.push_back(static_cast<uint8_t>((x + y) * 160 / (width + height) + block + noise));
    }
  }
  return image;
}

absl::StatusOr<LoadPicture> AsRaw(const LoadPicture& picture) {
  ASSIGN_OR_RETURN(Image image, DecodeImage(picture.file_bytes, DecodeLimits()));
  return LoadPicture{picture.name, "", std::move(image)};
}

}  // namespace candor
