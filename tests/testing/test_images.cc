// SPDX-License-Identifier: Apache-2.0
//
// Straight calls of libjpeg and libpng. Their own error handlers end the test program, which a wrong picture should.
#include "tests/testing/test_images.h"

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include <cmath>
#include <cstdio>  // jpeglib.h needs FILE and size_t
#include <cstdlib>
#include <cstring>

namespace candor {
namespace {

int Components(JpegColour colour) {
  if (colour == JpegColour::kGrey) return 1;
  return colour == JpegColour::kRgb ? 3 : 4;
}

std::vector<uint8_t> SmoothPattern(int width, int height, int channels) {
  std::vector<uint8_t> samples;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        samples.push_back(static_cast<uint8_t>(128 + 100 * std::sin(0.11 * x * (c + 1) + 0.07 * y + c)));
      }
    }
  }
  return samples;
}

// DC, then each of the 63 other coefficients: first without its lowest bit, then that bit.
std::vector<jpeg_scan_info> ScansOfSingleBits() {
  std::vector<jpeg_scan_info> scans;
  for (int first_pass = 1; first_pass >= 0; --first_pass) {
    for (int coefficient = 0; coefficient < 64; ++coefficient) {
      scans.push_back({1, {0}, coefficient, coefficient, first_pass == 1 ? 0 : 1, first_pass});
    }
  }
  return scans;
}

// One scan a component, sequential.
std::vector<jpeg_scan_info> ScansOfComponents(int components) {
  std::vector<jpeg_scan_info> scans;
  for (int component = 0; component < components; ++component) scans.push_back({1, {component}, 0, 63, 0, 0});
  return scans;
}

void SetColours(jpeg_compress_struct* encoder, JpegColour colour) {
  constexpr J_COLOR_SPACE kSpaces[] = {JCS_GRAYSCALE, JCS_RGB, JCS_CMYK, JCS_CMYK, JCS_CMYK};
  encoder->input_components = Components(colour);
  encoder->in_color_space = kSpaces[static_cast<int>(colour)];
  jpeg_set_defaults(encoder);
  if (colour == JpegColour::kYcck) jpeg_set_colorspace(encoder, JCS_YCCK);
  if (colour == JpegColour::kPlainCmyk) encoder->write_Adobe_marker = FALSE;
}

std::string BigEndian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string PngChunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const uLong crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return BigEndian(static_cast<uint32_t>(data.size())) + body + BigEndian(static_cast<uint32_t>(crc));
}

constexpr size_t kIhdrStart = 8;
constexpr size_t kIhdrEnd = kIhdrStart + 12 + 13;

void AppendPng(png_structp png, png_bytep bytes, size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}

void SetPalette(png_structp png, png_infop info, const PngSpec& spec) {
  std::vector<png_color> palette;
  for (size_t i = 0; i + 2 < spec.palette.size(); i += 3) {
    palette.push_back({spec.palette[i], spec.palette[i + 1], spec.palette[i + 2]});
  }
  for (int i = 0; spec.palette.empty() && i < 1 << spec.depth; ++i) {
    palette.push_back({static_cast<png_byte>(i), static_cast<png_byte>(255 - i), 7});
  }
  png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
}

struct PngSource {
  const std::string* bytes;
  size_t position;
};

void TakePng(png_structp png, png_bytep to, size_t count) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (source->bytes->size() - source->position < count) png_error(png, "end");
  std::memcpy(to, source->bytes->data() + source->position, count);
  source->position += count;
}

}  // namespace

std::string MakeJpeg(const JpegSpec& spec) {
  const std::vector<uint8_t> samples =
      spec.samples.empty() ? SmoothPattern(spec.width, spec.height, Components(spec.colour)) : spec.samples;
  const std::vector<jpeg_scan_info> scans =
      spec.scans == JpegScans::kProgressiveBits ? ScansOfSingleBits() : ScansOfComponents(Components(spec.colour));
  jpeg_compress_struct encoder = {};
  jpeg_error_mgr errors = {};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's type
  jpeg_mem_dest(&encoder, &bytes, &size);
  encoder.image_width = static_cast<JDIMENSION>(spec.width);
  encoder.image_height = static_cast<JDIMENSION>(spec.height);
  SetColours(&encoder, spec.colour);
  jpeg_set_quality(&encoder, spec.quality, TRUE);
  if (spec.scans == JpegScans::kProgressive) jpeg_simple_progression(&encoder);
  if (spec.scans == JpegScans::kProgressiveBits || spec.scans == JpegScans::kOneAComponent) {
    encoder.scan_info = scans.data();
    encoder.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&encoder, TRUE);
  const size_t row_bytes = static_cast<size_t>(spec.width) * static_cast<size_t>(encoder.input_components);
  while (encoder.next_scanline < encoder.image_height) {
    auto* row = const_cast<JSAMPROW>(samples.data() + encoder.next_scanline * row_bytes);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  std::string jpeg(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&encoder);
  std::free(bytes);
  return jpeg;
}

std::string MakePng(const PngSpec& spec) {
  std::string encoded;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &encoded, AppendPng, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(spec.width), static_cast<png_uint_32>(spec.height), spec.depth,
               spec.colour_type, spec.is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (spec.colour_type == PNG_COLOR_TYPE_PALETTE) SetPalette(png, info, spec);
  std::string exif = ExifWithOrientation(spec.exif_orientation, ByteOrder::kBigEndian);
  if (spec.exif_orientation != 0) {
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()), reinterpret_cast<png_bytep>(exif.data()));
  }
  png_write_info(png, info);
  const size_t row_bytes = png_get_rowbytes(png, info);
  std::vector<uint8_t> rows = spec.rows;
  for (size_t i = rows.size(); i < row_bytes * static_cast<size_t>(spec.height); ++i) {
    rows.push_back(static_cast<uint8_t>(i * 37 + i / row_bytes));
  }
  std::vector<png_bytep> pointers;
  for (int y = 0; y < spec.height; ++y) pointers.push_back(rows.data() + static_cast<size_t>(y) * row_bytes);
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return encoded;
}

PngContents ReadPng(const std::string& bytes) {
  PngContents contents;
  std::vector<png_bytep> pointers;
  PngSource source{&bytes, 0};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_read_fn(png, &source, TakePng);
  png_read_info(png, info);
  contents.width = static_cast<int>(png_get_image_width(png, info));
  contents.height = static_cast<int>(png_get_image_height(png, info));
  contents.depth = png_get_bit_depth(png, info);
  contents.colour_type = png_get_color_type(png, info);
  const size_t row_bytes = png_get_rowbytes(png, info);
  contents.rows.resize(row_bytes * static_cast<size_t>(contents.height));
  for (int y = 0; y < contents.height; ++y) {
    pointers.push_back(contents.rows.data() + static_cast<size_t>(y) * row_bytes);
  }
  png_read_image(png, pointers.data());
  png_read_end(png, info);
  png_destroy_read_struct(&png, &info, nullptr);
  return contents;
}

std::vector<uint8_t> ReadJpegRgb(const std::string& jpeg) {
  jpeg_decompress_struct decoder = {};
  jpeg_error_mgr errors = {};
  decoder.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size());
  jpeg_read_header(&decoder, TRUE);
  decoder.out_color_space = JCS_RGB;
  jpeg_start_decompress(&decoder);
  const size_t row_bytes = size_t{decoder.output_width} * 3;
  std::vector<uint8_t> pixels(row_bytes * decoder.output_height);
  while (decoder.output_scanline < decoder.output_height) {
    JSAMPROW row = pixels.data() + decoder.output_scanline * row_bytes;
    jpeg_read_scanlines(&decoder, &row, 1);
  }
  jpeg_finish_decompress(&decoder);
  jpeg_destroy_decompress(&decoder);
  return pixels;
}

std::string ExifWithOrientation(int orientation, ByteOrder order) {
  // Header, offset of the directory, one entry: tag 0x0112, type 3 (short), count 1, the value; no next directory.
  const char value = static_cast<char>(orientation);
  if (order == ByteOrder::kLittleEndian) {
    return std::string("II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18) + value + std::string(7, '\0');
  }
  return std::string("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19) + value + std::string(6, '\0');
}

std::string WithExifOrientation(const std::string& jpeg, int orientation) {
  const std::string body = std::string("Exif\0\0", 6) + ExifWithOrientation(orientation);
  const size_t length = body.size() + 2;
  return jpeg.substr(0, 2) + "\xff\xe1" + static_cast<char>(length >> 8) + static_cast<char>(length) + body +
         jpeg.substr(2);
}

std::string WithJpegSize(const std::string& jpeg, int width, int height) {
  // Segment by segment to the frame header: marker, length, precision, height, width.
  size_t at = 2;
  while (static_cast<uint8_t>(jpeg.at(at + 1)) != 0xc0 && static_cast<uint8_t>(jpeg.at(at + 1)) != 0xc2) {
    at += 2 + static_cast<size_t>(static_cast<uint8_t>(jpeg.at(at + 2)) << 8 | static_cast<uint8_t>(jpeg.at(at + 3)));
  }
  std::string changed = jpeg;
  return changed.replace(at + 5, 4,
                         {static_cast<char>(height >> 8), static_cast<char>(height), static_cast<char>(width >> 8),
                          static_cast<char>(width)});
}

std::string WithPngSize(const std::string& png, uint32_t width, uint32_t height) {
  const std::string rest_of_header = png.substr(kIhdrStart + 16, 5);
  return png.substr(0, kIhdrStart) + PngChunk("IHDR", BigEndian(width) + BigEndian(height) + rest_of_header) +
         png.substr(kIhdrEnd);
}

std::string WithPngChunk(const std::string& png, const std::string& type, const std::string& data) {
  return png.substr(0, kIhdrEnd) + PngChunk(type, data) + png.substr(kIhdrEnd);
}

}  // namespace candor
