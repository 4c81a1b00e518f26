// SPDX-License-Identifier: Apache-2.0
//
// libpng reports errors by longjmp, which skips destructors: each call into it stands in a lambda without C++ objects
// of its own, and everything that has a destructor lives in PngReader or its caller.
#include "core/image/png_decoder.h"

#include <png.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/image/exif.h"
#include "core/image/pixel_limit.h"

namespace candor {
namespace {

// Enough for any palette and EXIF data without a thumbnail; what libpng may allocate for one chunk other than the
// picture.
constexpr png_alloc_size_t kMaxChunkBytes = 1 << 20;

const char* ColourTypeName(int colour_type) {
  switch (colour_type) {
    case PNG_COLOR_TYPE_GRAY:
      return "grey";
    case PNG_COLOR_TYPE_PALETTE:
      return "palette";
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      return "grey with alpha";
    case PNG_COLOR_TYPE_RGB_ALPHA:
      return "RGBA";
    default:
      return "RGB";
  }
}

uint32_t ReadBigEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// libpng takes memory for as much EXIF data as a chunk claims to have, up to 2 GiB, before it reads them. So every
// chunk up to the end has to be there: length, type, data, checksum.
absl::Status CheckChunksAreWhole(absl::string_view bytes) {
  constexpr size_t kSignatureBytes = 8;
  constexpr size_t kBytesBesideData = 12;
  bytes.remove_prefix(std::min(kSignatureBytes, bytes.size()));
  while (bytes.size() >= kBytesBesideData) {
    const size_t data_bytes = ReadBigEndian(bytes);
    if (data_bytes > bytes.size() - kBytesBesideData) break;
    if (bytes.substr(4, 4) == "IEND") return absl::OkStatus();
    bytes.remove_prefix(kBytesBesideData + data_bytes);
  }
  return absl::InvalidArgumentError("PNG: damaged: ends too early");
}

class PngReader {
 public:
  explicit PngReader(absl::string_view bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  absl::StatusOr<PngPicture> Decode(PngSamples samples, const DecodeLimits& limits) {
    if (info_ == nullptr) return absl::ResourceExhaustedError("PNG: out of memory");
    RETURN_IF_ERROR(ReadHeader());
    PngPicture picture;
    const int64_t width = png_get_image_width(png_, info_);
    const int64_t height = png_get_image_height(png_, info_);
    RETURN_IF_ERROR(CheckPixelCount("PNG", width, height, limits));
    picture.width = static_cast<int>(width);
    picture.height = static_cast<int>(height);
    picture.pixel_bytes = 3;
    if (samples != PngSamples::kRgb) {
      RETURN_IF_ERROR(CheckHoldsIndices(samples));
      picture.pixel_bytes = png_get_bit_depth(png_, info_) > 8 ? 2 : 1;
    }
    RETURN_IF_ERROR(ReadPixels(samples, &picture));
    png_bytep exif = nullptr;
    png_uint_32 exif_bytes = 0;
    if (png_get_eXIf_1(png_, info_, &exif_bytes, &exif) != 0) {
      picture.exif_orientation = ExifOrientation({reinterpret_cast<const char*>(exif), exif_bytes});
    }
    return picture;
  }

 private:
  // Runs calls into libpng; InvalidArgument with its reason if it gave up. `step` must not own C++ objects.
  template <typename Step>
  absl::Status Guarded(Step&& step) {
    if (setjmp(png_jmpbuf(png_)) != 0) return absl::InvalidArgumentError(absl::StrCat("PNG: damaged: ", reason_));
    step();
    return absl::OkStatus();
  }

  absl::Status ReadHeader() {
    return Guarded([this] {
      png_set_read_fn(png_, this, OnRead);
      png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
      png_set_benign_errors(png_, 1);                               // as warnings: OnWarning decides
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // our own limit is on the product
      png_set_chunk_malloc_max(png_, kMaxChunkBytes);
      // Only size, palette, pixels and orientation matter. Skipping all else unread leaves nothing for bombs in
      // compressed text, and no complaint about a colour profile refuses a sound picture.
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      static constexpr png_byte kTransparency[] = "tRNS";
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kTransparency, 1);
      static constexpr png_byte kExif[] = "eXIf";
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT, kExif, 1);
      png_read_info(png_, info_);
    });
  }

  absl::Status CheckHoldsIndices(PngSamples samples) {
    const int colour_type = png_get_color_type(png_, info_);
    const int depth = png_get_bit_depth(png_, info_);
    const int max_depth = samples == PngSamples::kWideIndices ? 16 : 8;
    if ((colour_type == PNG_COLOR_TYPE_PALETTE || colour_type == PNG_COLOR_TYPE_GRAY) && depth <= max_depth) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(absl::StrCat("PNG: class indices must be ", max_depth == 16 ? "" : "8-bit ",
                                                   "grey or palette, got ", ColourTypeName(colour_type), " of ", depth,
                                                   " bits"));
  }

  absl::Status ReadPixels(PngSamples samples, PngPicture* picture) {
    const size_t row_bytes = static_cast<size_t>(picture->width) * static_cast<size_t>(picture->pixel_bytes);
    RETURN_IF_ERROR(Guarded([this, samples] {
      if (samples == PngSamples::kRgb) {
        png_set_palette_to_rgb(png_);
        png_set_expand_gray_1_2_4_to_8(png_);
        png_set_gray_to_rgb(png_);
        png_set_scale_16(png_);
        png_set_strip_alpha(png_);
      } else {
        png_set_packing(png_);  // one index a byte
      }
      png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    }));
    if (png_get_rowbytes(png_, info_) != row_bytes) return absl::InternalError("PNG: unexpected row size");
    picture->samples.resize(row_bytes * static_cast<size_t>(picture->height));
    std::vector<png_bytep> rows(static_cast<size_t>(picture->height));
    for (size_t y = 0; y < rows.size(); ++y) rows[y] = picture->samples.data() + y * row_bytes;
    png_bytepp row_pointers = rows.data();
    return Guarded([this, row_pointers] {
      png_read_image(png_, row_pointers);
      png_read_end(png_, info_);
    });
  }

  static void OnRead(png_structp png, png_bytep to, size_t count) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (self->bytes_.size() < count) png_error(png, "ends too early");
    std::memcpy(to, self->bytes_.data(), count);
    self->bytes_.remove_prefix(count);
  }

  [[noreturn]] static void OnError(png_structp png, png_const_charp reason) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(self->reason_, sizeof(self->reason_), "%s", reason);
    png_longjmp(png, 1);
  }

  // A complaint about the pixels' own data (it fails its checksum, or is more than the picture) is an error. Bytes
  // after the end of the compressed data harm nothing, nor do complaints about other chunks.
  static void OnWarning(png_structp png, png_const_charp reason) {
    if (absl::StartsWith(reason, "IDAT: ") && !absl::StrContains(reason, "Extra compressed data")) OnError(png, reason);
  }

  absl::string_view bytes_;  // what is still to be read
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  char reason_[200] = "";
};

}  // namespace

absl::StatusOr<PngPicture> DecodePng(absl::string_view bytes, PngSamples samples, const DecodeLimits& limits) {
  RETURN_IF_ERROR(CheckChunksAreWhole(bytes));
  return PngReader(bytes).Decode(samples, limits);
}

}  // namespace candor
