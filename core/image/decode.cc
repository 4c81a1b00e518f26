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

absl::Status CheckIsLabelPng(absl::string_view bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("label picture: empty");
  if (!absl::StartsWith(bytes, kPngStart)) return absl::InvalidArgumentError("label picture: not a PNG");
  return absl::OkStatus();
}

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
  RETURN_IF_ERROR(CheckIsLabelPng(bytes));
  ASSIGN_OR_RETURN(PngPicture picture, DecodePng(bytes, PngSamples::kIndices, limits));
  return ByteMap{picture.width, picture.height, std::move(picture.samples)};
}

absl::StatusOr<IndexMap> DecodeIndexPng(absl::string_view bytes, const DecodeLimits& limits) {
  RETURN_IF_ERROR(CheckIsLabelPng(bytes));
  ASSIGN_OR_RETURN(const PngPicture picture, DecodePng(bytes, PngSamples::kWideIndices, limits));
  IndexMap map{picture.width, picture.height, {}};
  if (picture.pixel_bytes == 1) {
    map.values.assign(picture.samples.begin(), picture.samples.end());
    return map;
  }
  map.values.resize(picture.samples.size() / 2);
  for (size_t i = 0; i < map.values.size(); ++i) {
    map.values[i] = static_cast<uint16_t>(picture.samples[2 * i] << 8 | picture.samples[2 * i + 1]);
  }
  return map;
}

}  // namespace candor
