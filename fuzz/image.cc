// SPDX-License-Identifier: Apache-2.0
//
// Picture files: header, limits, the whole decoding, EXIF.
#include <zlib.h>

#include <string>

#include "core/image/decode.h"
#include "core/image/encode.h"
#include "core/image/exif.h"
#include "fuzz/target.h"

namespace candor {
namespace {

constexpr DecodeLimits kLimits = {1 << 14};

void DemandSize(int width, int height, size_t values, int values_a_pixel) {
  Demand(width >= 1 && height >= 1, "a picture has pixels");
  const int64_t pixels = int64_t{width} * height;
  Demand(pixels <= kLimits.max_pixels, "a picture is within the limit");
  Demand(static_cast<int64_t>(values) == pixels * values_a_pixel, "a picture has the values of its size");
}

void DemandKept(const Image& image) {
  const auto from_png = DecodeImage(EncodeRgbPng(image), kLimits);
  Demand(from_png.ok() && from_png->width == image.width && from_png->pixels == image.pixels, "PNG keeps every pixel");
  const auto from_jpeg = DecodeImage(EncodeJpeg(image, 90), kLimits);
  Demand(from_jpeg.ok() && from_jpeg->width == image.width && from_jpeg->height == image.height, "JPEG keeps the size");
}

void Decode(absl::string_view bytes) {
  const auto image = DecodeImage(bytes, kLimits);
  if (image.ok()) {
    DemandSize(image->width, image->height, image->pixels.size(), 3);
    DemandKept(*image);
  } else {
    DemandRefusal(image.status());
  }
  const auto indices = DecodeIndexPng(bytes, kLimits);
  if (indices.ok()) {
    DemandSize(indices->width, indices->height, indices->values.size(), 1);
  } else {
    DemandRefusal(indices.status());
  }
  const auto labels = DecodeLabelPng(bytes, kLimits);
  if (!labels.ok()) return DemandRefusal(labels.status());
  DemandSize(labels->width, labels->height, labels->values.size(), 1);
  Demand(indices.ok() && std::equal(labels->values.begin(), labels->values.end(), indices->values.begin()),
         "indices of 8 bits and of 16 are the same", indices.status().ToString());
  const auto again = DecodeLabelPng(EncodeGreyPng(*labels), kLimits);
  Demand(again.ok() && again->width == labels->width && again->values == labels->values, "PNG keeps every label");
}

uint32_t ReadBigEndian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

// A PNG with the checksums of its chunks made right: no chance hits them, and what they guard would stay unread.
std::string WithRightChecksums(std::string png) {
  auto* const bytes = reinterpret_cast<uint8_t*>(&png[0]);
  size_t at = 8;  // after the signature
  while (png.size() - at >= 12) {
    const size_t length = ReadBigEndian(bytes + at);  // of the data; before them length and type, after them the sum
    if (length > png.size() - at - 12) break;
    const auto sum = static_cast<uint32_t>(crc32(0, bytes + at + 4, static_cast<uInt>(length + 4)));
    for (size_t i = 0; i < 4; ++i) bytes[at + 8 + length + i] = static_cast<uint8_t>(sum >> (24 - 8 * i));
    at += length + 12;
  }
  return png;
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes = candor::AsText(data, size);
  const int orientation = candor::ExifOrientation(bytes);
  candor::Demand(orientation >= 1 && orientation <= 8, "an orientation is one of eight");
  candor::Decode(bytes);
  if (size > 8 && bytes[0] == '\x89') candor::Decode(candor::WithRightChecksums(std::string(bytes)));
  return 0;
}
