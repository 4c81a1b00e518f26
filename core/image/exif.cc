// SPDX-License-Identifier: Apache-2.0
//
// Just enough TIFF to find one tag.
#include "core/image/exif.h"

#include <cstddef>
#include <cstdint>

namespace candor {
namespace {

constexpr int kUpright = 1;
constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kTypeShort = 3;
constexpr size_t kEntryBytes = 12;

// Reads numbers in the file's byte order; every read past the end gives 0, which no valid tag, count or value is.
class TiffReader {
 public:
  TiffReader(absl::string_view bytes, bool is_big_endian) : bytes_(bytes), is_big_endian_(is_big_endian) {}

  uint32_t Read16(size_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < 2) return 0;
    const uint32_t a = static_cast<uint8_t>(bytes_[offset]);
    const uint32_t b = static_cast<uint8_t>(bytes_[offset + 1]);
    return is_big_endian_ ? a << 8 | b : b << 8 | a;
  }
  uint32_t Read32(size_t offset) const {
    const uint32_t a = Read16(offset);
    const uint32_t b = Read16(offset + 2);
    return is_big_endian_ ? a << 16 | b : b << 16 | a;
  }

 private:
  absl::string_view bytes_;
  bool is_big_endian_;
};

}  // namespace

int ExifOrientation(absl::string_view tiff) {
  const absl::string_view order = tiff.substr(0, 2);
  if (order != "II" && order != "MM") return kUpright;
  const TiffReader reader(tiff, order == "MM");
  if (reader.Read16(2) != 42) return kUpright;
  const size_t directory = reader.Read32(4);
  const uint32_t entries = reader.Read16(directory);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    if (reader.Read16(entry) != kOrientationTag) continue;
    if (reader.Read16(entry + 2) != kTypeShort || reader.Read32(entry + 4) != 1) return kUpright;
    const uint32_t value = reader.Read16(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

}  // namespace candor
