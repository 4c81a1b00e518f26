// SPDX-License-Identifier: Apache-2.0
//
// Goes from marker to marker (ITU-T T.81, annex B). A segment's own bytes are passed over, since a thumbnail in one has
// an end marker, too.
#include "client/cli/jpeg_splitter.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

constexpr unsigned char kStartOfImage = 0xD8;
constexpr unsigned char kEndOfImage = 0xD9;
constexpr unsigned char kStartOfScan = 0xDA;

}  // namespace

absl::StatusOr<std::optional<std::string>> JpegSplitter::Next(size_t max_bytes) {
  const auto byte = [this](size_t i) { return static_cast<unsigned char>(pending_[i]); };
  while (position_ + 1 < pending_.size()) {
    if (is_in_scan_ && byte(position_) != 0xFF) {
      const size_t next = pending_.find('\xFF', position_);
      position_ = next == std::string::npos ? pending_.size() : next;
      continue;
    }
    const unsigned char marker = byte(position_ + 1);
    const bool is_wrong = byte(position_) != 0xFF || (position_ == 0 && marker != kStartOfImage);
    if (is_wrong) return absl::DataLossError("must be JPEG files, one after the other");
    if (marker == kEndOfImage) {
      std::string file = pending_.substr(0, position_ + 2);
      pending_.erase(0, position_ + 2);
      position_ = 0;
      is_in_scan_ = false;
      return file;
    }
    if (marker == 0xFF) {  // fill
      ++position_;
    } else if (marker == 0 || marker == 1 || (marker >= 0xD0 && marker <= kStartOfImage)) {  // without a length
      position_ += 2;
    } else {
      if (position_ + 3 >= pending_.size()) break;
      is_in_scan_ = marker == kStartOfScan;
      position_ += 2 + (byte(position_ + 2) << 8 | byte(position_ + 3));
    }
  }
  if (pending_.size() > max_bytes) {
    return absl::DataLossError(absl::StrCat("a picture must be at most ", max_bytes, " bytes"));
  }
  return std::nullopt;
}

}  // namespace candor
