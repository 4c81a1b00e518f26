// SPDX-License-Identifier: Apache-2.0
//
// Pictures for tests, made by libjpeg and libpng without candor's own code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace candor {

// kCmyk and kYcck store inverted samples behind an Adobe marker, as Photoshop does; kPlainCmyk stores ink, without one.
enum class JpegColour { kGrey, kRgb, kCmyk, kYcck, kPlainCmyk };

// kOneAComponent is sequential. kProgressiveBits (grey only) is 128 valid scans: each coefficient by itself, in two
// steps of precision.
enum class JpegScans { kBaseline, kOneAComponent, kProgressive, kProgressiveBits };

struct JpegSpec {
  int width = 32;
  int height = 24;
  JpegColour colour = JpegColour::kRgb;
  JpegScans scans = JpegScans::kBaseline;
  int quality = 95;
  std::vector<uint8_t> samples;  // [height][width][1, 3 or 4] as given to the encoder; empty: a smooth pattern
};

struct PngSpec {
  int width = 32;
  int height = 24;
  int depth = 8;
  int colour_type = 2;  // PNG_COLOR_TYPE_...: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
  bool is_interlaced = false;
  int exif_orientation = 0;      // 0: no eXIf chunk
  std::vector<uint8_t> palette;  // RGB triples; empty: colour i is (i, 255 - i, 7)
  // Packed rows, as the file has them (16 bits big-endian); empty: a pattern of all values.
  std::vector<uint8_t> rows;
};

struct PngContents {
  int width = 0;
  int height = 0;
  int depth = 0;
  int colour_type = 0;
  std::vector<uint8_t> rows;  // packed, as in the file
};

std::string MakeJpeg(const JpegSpec& spec);
std::string MakePng(const PngSpec& spec);

// Reads with libpng's defaults, without any conversion. Of a sound file.
PngContents ReadPng(const std::string& png);

// Decodes a sound file to RGB with libjpeg's defaults, [height][width][3].
std::vector<uint8_t> ReadJpegRgb(const std::string& jpeg);

// EXIF data of one tag, the orientation; little-endian ("II") or big-endian ("MM").
enum class ByteOrder { kLittleEndian, kBigEndian };
std::string ExifWithOrientation(int orientation, ByteOrder order = ByteOrder::kLittleEndian);

// Puts an APP1 segment behind the start of the JPEG.
std::string WithExifOrientation(const std::string& jpeg, int orientation);
// Overwrites the size in the frame header; the coded data stay as they are.
std::string WithJpegSize(const std::string& jpeg, int width, int height);
// Overwrites the size in IHDR and mends its checksum.
std::string WithPngSize(const std::string& png, uint32_t width, uint32_t height);
// Puts a chunk, with a right checksum, behind IHDR.
std::string WithPngChunk(const std::string& png, const std::string& type, const std::string& data);

}  // namespace candor
