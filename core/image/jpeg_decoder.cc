// SPDX-License-Identifier: Apache-2.0
//
// libjpeg reports errors by longjmp, which skips destructors: each call into it stands in a lambda without C++ objects
// of its own, and everything that has a destructor lives in JpegReader or its caller.
#include "core/image/jpeg_decoder.h"

#include <jpeglib.h>
#include <setjmp.h>

#include <cstdint>
#include <cstdio>  // jpeglib.h needs FILE and size_t
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/image/exif.h"
#include "core/image/pixel_limit.h"

namespace candor {
namespace {

// A progressive file of a few kilobytes can make the decoder pass over the whole picture once a scan. Encoders write
// about ten.
constexpr int kMaxScans = 100;

// Multiplies two 8-bit fractions, rounded.
uint8_t Multiply(int a, int b) { return static_cast<uint8_t>((a * b + 127) / 255); }

// The four samples are the light each ink lets through. Adobe's files store it so, others store the ink.
void CmykRowToRgb(const uint8_t* cmyk, int width, bool stores_ink, uint8_t* rgb) {
  const int flip = stores_ink ? 0xff : 0;
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    for (int channel = 0; channel < 3; ++channel) rgb[channel] = Multiply(cmyk[channel] ^ flip, cmyk[3] ^ flip);
  }
}

class JpegReader {
 public:
  JpegReader() {
    decoder_.err = jpeg_std_error(&errors_);
    decoder_.client_data = this;
    errors_.error_exit = OnError;
    errors_.emit_message = OnMessage;
    progress_.progress_monitor = OnProgress;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&decoder_); }

  absl::StatusOr<JpegPicture> Decode(absl::string_view bytes, const DecodeLimits& limits) {
    RETURN_IF_ERROR(ReadHeader(bytes));
    RETURN_IF_ERROR(CheckPixelCount("JPEG", decoder_.image_width, decoder_.image_height, limits));
    JpegPicture picture;
    picture.exif_orientation = Orientation();
    picture.image.width = static_cast<int>(decoder_.image_width);
    picture.image.height = static_cast<int>(decoder_.image_height);
    const bool is_cmyk = decoder_.jpeg_color_space == JCS_CMYK || decoder_.jpeg_color_space == JCS_YCCK;
    if (decoder_.jpeg_color_space == JCS_UNKNOWN) {
      return absl::InvalidArgumentError(
          absl::StrCat("JPEG: ", decoder_.num_components, " colour components, must be 1, 3 or 4"));
    }
    decoder_.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    RETURN_IF_ERROR(Guarded([this] { jpeg_start_decompress(&decoder_); }));
    if (jpeg_has_multiple_scans(&decoder_) != FALSE && seen_components_ != (1u << decoder_.num_components) - 1) {
      return absl::InvalidArgumentError("JPEG: damaged: no data for one of its colour components");
    }
    picture.image.pixels.resize(static_cast<size_t>(picture.image.width) * picture.image.height * 3);
    RETURN_IF_ERROR(is_cmyk ? ReadCmykRows(&picture.image) : ReadRgbRows(&picture.image));
    return picture;
  }

 private:
  // Runs calls into libjpeg; InvalidArgument with its reason if it gave up. `step` must not own C++ objects.
  template <typename Step>
  absl::Status Guarded(Step&& step) {
    if (setjmp(jump_) != 0) return absl::InvalidArgumentError(absl::StrCat("JPEG: damaged: ", reason_));
    step();
    return absl::OkStatus();
  }

  absl::Status ReadHeader(absl::string_view bytes) {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    const unsigned long size = bytes.size();  // NOLINT(google-runtime-int): libjpeg's type
    return Guarded([this, data, size] {
      jpeg_create_decompress(&decoder_);
      decoder_.progress = &progress_;
      jpeg_mem_src(&decoder_, data, size);
      jpeg_save_markers(&decoder_, JPEG_APP0 + 1, 0xffff);
      jpeg_read_header(&decoder_, TRUE);
    });
  }

  // That of the first APP1 with EXIF data; XMP uses the same marker.
  int Orientation() const {
    for (jpeg_saved_marker_ptr marker = decoder_.marker_list; marker != nullptr; marker = marker->next) {
      absl::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (absl::ConsumePrefix(&data, absl::string_view("Exif\0\0", 6))) return ExifOrientation(data);
    }
    return 1;
  }

  absl::Status ReadRgbRows(Image* image) {
    uint8_t* pixels = image->pixels.data();
    const size_t row_bytes = static_cast<size_t>(image->width) * 3;
    return Guarded([this, pixels, row_bytes] {
      while (decoder_.output_scanline < decoder_.output_height) {
        JSAMPROW row = pixels + decoder_.output_scanline * row_bytes;
        jpeg_read_scanlines(&decoder_, &row, 1);
      }
      jpeg_finish_decompress(&decoder_);
    });
  }

  absl::Status ReadCmykRows(Image* image) {
    std::vector<uint8_t> buffer(static_cast<size_t>(image->width) * 4);
    JSAMPROW cmyk = buffer.data();
    uint8_t* pixels = image->pixels.data();
    const int width = image->width;
    const bool stores_ink = decoder_.saw_Adobe_marker == FALSE;
    return Guarded([this, cmyk, pixels, width, stores_ink] {
      while (decoder_.output_scanline < decoder_.output_height) {
        uint8_t* rgb = pixels + size_t{3} * width * decoder_.output_scanline;
        JSAMPROW row = cmyk;
        jpeg_read_scanlines(&decoder_, &row, 1);
        CmykRowToRgb(cmyk, width, stores_ink, rgb);
      }
      jpeg_finish_decompress(&decoder_);
    });
  }

  [[noreturn]] static void OnError(j_common_ptr common) {
    auto* self = static_cast<JpegReader*>(common->client_data);
    common->err->format_message(common, self->reason_);
    longjmp(self->jump_, 1);
  }

  // Below 0 are warnings: the data is damaged and libjpeg would go on with made-up pixels. Others are only traces.
  static void OnMessage(j_common_ptr common, int level) {
    if (level < 0) OnError(common);
  }

  // Called at least once a scan while the scans of a file of several are read.
  static void OnProgress(j_common_ptr common) {
    auto* self = static_cast<JpegReader*>(common->client_data);
    const jpeg_decompress_struct& decoder = self->decoder_;
    for (int i = 0; i < decoder.comps_in_scan; ++i) {
      self->seen_components_ |= 1u << decoder.cur_comp_info[i]->component_index;
    }
    if (decoder.input_scan_number > kMaxScans) {
      std::snprintf(self->reason_, sizeof(self->reason_), "more than %d scans", kMaxScans);
      longjmp(self->jump_, 1);
    }
  }

  jpeg_decompress_struct decoder_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  jmp_buf jump_;
  char reason_[JMSG_LENGTH_MAX] = "";
  unsigned seen_components_ = 0;  // bit i: some scan had component i
};

}  // namespace

absl::StatusOr<JpegPicture> DecodeJpeg(absl::string_view bytes, const DecodeLimits& limits) {
  return JpegReader().Decode(bytes, limits);
}

}  // namespace candor
