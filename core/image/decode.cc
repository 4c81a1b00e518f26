// SPDX-License-Identifier: Apache-2.0
//
// Chooses the decoder by the first bytes.
#include "core/image/decode.h"

#include <utility>

#include "absl/strings/match.h"
#include "core/base/status_macros.h"
#include "core/image/jpeg_decoder.h"
#include "core/image/orient.h"
#include "core/image/png_decoder.h"

namespace candor {
namespace {

constexpr absl::string_view kJpegStart = "\xff\xd8\xff";
constexpr absl::string_view kPngStart = "\x89PNG\r\n\x1a\n";

}  // namespace

absl::StatusOr<Image> DecodeImage(absl::string_view bytes, const DecodeLimits& limits) {
  if (bytes.empty()) return absl::InvalidArgumentError("image: empty");
  if (absl::StartsWith(bytes, kJpegStart)) {
    ASSIGN_OR_RETURN(JpegPicture picture, DecodeJpeg(bytes, limits));
    return TurnUpright(std::move(picture.image), picture.exif_orientation);
  }
  if (absl::StartsWith(bytes, kPngStart)) {
    ASSIGN_OR_RETURN(PngPicture picture, DecodePng(bytes, PngSamples::kRgb, limits));
    return TurnUpright({picture.width, picture.height, std::move(picture.samples)}, picture.exif_orientation);
  }
  return absl::InvalidArgumentError("image: neither JPEG nor PNG");
}

absl::StatusOr<ByteMap> DecodeLabelPng(absl::string_view bytes, const DecodeLimits& limits) {
  if (bytes.empty()) return absl::InvalidArgumentError("label picture: empty");
  if (!absl::StartsWith(bytes, kPngStart)) return absl::InvalidArgumentError("label picture: not a PNG");
  ASSIGN_OR_RETURN(PngPicture picture, DecodePng(bytes, PngSamples::kIndices, limits));
  return ByteMap{picture.width, picture.height, std::move(picture.samples)};
}

}  // namespace candor
