// SPDX-License-Identifier: Apache-2.0
//
// Checks in 64 bits, then OpenCV's colour conversion on the caller's bytes.
#include "core/image/raw_image.h"

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/image/opencv_guard.h"
#include "core/image/pixel_limit.h"
#include "opencv2/imgproc.hpp"

namespace candor {
namespace {

struct FormatFacts {
  const char* name;
  int row_bytes_a_pixel;
  bool needs_even_width;
  bool needs_even_height;  // and half as many rows of chroma follow
};

FormatFacts FactsOf(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb8:
      return {"RGB8", 3, false, false};
    case PixelFormat::kBgr8:
      return {"BGR8", 3, false, false};
    case PixelFormat::kGrey8:
      return {"GREY8", 1, false, false};
    case PixelFormat::kYuyv:
      return {"YUYV", 2, true, false};
    case PixelFormat::kNv12:
      return {"NV12", 1, true, true};
  }
  return {"RGB8", 3, false, false};
}

absl::Status CheckSide(absl::string_view field, int value, bool must_be_even, const char* format) {
  if (value < 1) return absl::InvalidArgumentError(absl::StrCat(field, ": must be >= 1, got ", value));
  if (must_be_even && value % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": must be even for ", format, ", got ", value));
  }
  return absl::OkStatus();
}

// Returns the bytes from one row to the next.
absl::StatusOr<int64_t> CheckShape(const RawImage& raw, const FormatFacts& facts, int64_t size,
                                   const DecodeLimits& limits) {
  RETURN_IF_ERROR(CheckSide("width", raw.width, facts.needs_even_width, facts.name));
  RETURN_IF_ERROR(CheckSide("height", raw.height, facts.needs_even_height, facts.name));
  RETURN_IF_ERROR(CheckPixelCount("width", raw.width, raw.height, limits));

  const int64_t row_bytes = int64_t{raw.width} * facts.row_bytes_a_pixel;
  const int64_t stride = raw.stride == 0 ? row_bytes : raw.stride;
  if (stride < row_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("stride: must be 0 or at least ", row_bytes, " (", raw.width,
                                                   " pixels of ", facts.name, "), got ", raw.stride));
  }
  const int64_t rows = facts.needs_even_height ? int64_t{raw.height} / 2 * 3 : raw.height;
  if (stride > std::numeric_limits<int64_t>::max() / rows) {  // only without a sensible limit of pixels
    return absl::InvalidArgumentError(absl::StrCat("data: ", rows, " rows of ", stride, " bytes are out of range"));
  }
  const int64_t full = stride * rows;
  const int64_t without_last_gap = full - stride + row_bytes;
  if (size != full && size != without_last_gap) {
    return absl::InvalidArgumentError(absl::StrCat("data: must be ", full, " bytes (", rows, " rows of ", stride,
                                                   ") for ", raw.width, " x ", raw.height, " ", facts.name, ", got ",
                                                   size));
  }
  return stride;
}

void Convert(const RawImage& raw, absl::string_view bytes, size_t stride, cv::Mat rgb) {
  // cv::Mat has no form for bytes that are only read.
  auto* data = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
  const auto rows_of = [&](int type) { return cv::Mat(raw.height, raw.width, type, data, stride); };
  switch (raw.format) {
    case PixelFormat::kRgb8:
      return rows_of(CV_8UC3).copyTo(rgb);
    case PixelFormat::kBgr8:
      return cv::cvtColor(rows_of(CV_8UC3), rgb, cv::COLOR_BGR2RGB);
    case PixelFormat::kGrey8:
      return cv::cvtColor(rows_of(CV_8UC1), rgb, cv::COLOR_GRAY2RGB);
    case PixelFormat::kYuyv:
      return cv::cvtColor(rows_of(CV_8UC2), rgb, cv::COLOR_YUV2RGB_YUYV);
    case PixelFormat::kNv12: {
      const cv::Mat chroma(raw.height / 2, raw.width / 2, CV_8UC2, data + stride * static_cast<size_t>(raw.height),
                           stride);
      return cv::cvtColorTwoPlane(rows_of(CV_8UC1), chroma, rgb, cv::COLOR_YUV2RGB_NV12);
    }
  }
}

// Copied once, and nothing is cleared before.
void Gather(absl::Span<const absl::string_view> pieces, std::vector<uint8_t>* pixels) {
  for (const absl::string_view piece : pieces) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(piece.data());  // of the same type: copied as one block
    pixels->insert(pixels->end(), bytes, bytes + piece.size());
  }
}

}  // namespace

absl::StatusOr<Picture> OpenRawImage(const RawImage& raw, const DecodeLimits& limits) {
  return OpenRawImage(raw, {raw.data}, limits);
}

absl::StatusOr<Picture> OpenRawImage(const RawImage& raw, absl::Span<const absl::string_view> pieces,
                                     const DecodeLimits& limits) {
  int64_t size = 0;
  for (const absl::string_view piece : pieces) size += static_cast<int64_t>(piece.size());
  ASSIGN_OR_RETURN(const int64_t stride, CheckShape(raw, FactsOf(raw.format), size, limits));
  const int64_t bytes = int64_t{3} * raw.width * raw.height;
  if (raw.format == PixelFormat::kRgb8 && size == bytes) return Picture(raw.width, raw.height, pieces);
  std::vector<uint8_t> gathered;
  absl::string_view whole = pieces.empty() ? absl::string_view() : pieces[0];
  if (pieces.size() > 1) {
    gathered.reserve(static_cast<size_t>(size));
    Gather(pieces, &gathered);
    whole = {reinterpret_cast<const char*>(gathered.data()), gathered.size()};
  }
  Image image{raw.width, raw.height, std::vector<uint8_t>(static_cast<size_t>(bytes))};
  RETURN_IF_ERROR(GuardOpenCv("raw image", [&] {
    // OpenCV writes into the vector: it allocates only for another size or type.
    Convert(raw, whole, static_cast<size_t>(stride), cv::Mat(raw.height, raw.width, CV_8UC3, image.pixels.data()));
  }));
  return Picture(std::move(image));
}

}  // namespace candor
