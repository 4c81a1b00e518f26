// SPDX-License-Identifier: Apache-2.0
//
// A mask file's values to class indices.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/image/decode.h"
#include "core/image/image.h"

namespace candor {

// The bytes of a mask to class indices and kIgnoreLabel. Errors do not name the file. Callable from many threads.
using MaskDecoder = std::function<absl::StatusOr<ByteMap>(absl::string_view bytes)>;

// Larger pictures are refused: 64 million pixels.
inline constexpr DecodeLimits kDataLimits = {int64_t{1} << 26};

// What each value of an index mask means: a class, kIgnoreLabel, or kUnknownValue.
struct IndexTable {
  static constexpr int16_t kUnknownValue = -1;

  std::vector<int16_t> meaning;  // values from its size on are unknown
  std::string hint;              // added to the message about an unknown value, may be empty
  int hint_min = 0;              // only for values from here
  int hint_max = 65535;          // to here
};

// Values 0 to classes - 1 mean themselves, those in `ignored` no class.
IndexTable PlainIndices(int classes, const std::vector<int>& ignored);

// 8- or 16-bit grey or palette PNG. InvalidArgument: another file, or unknown values (the smallest, how many pixels it
// has, and the first one).
MaskDecoder IndexMask(IndexTable table);

// A colour and the class that it means.
struct ColourMeaning {
  Colour colour;
  uint8_t label;
};

// RGB PNG of exactly these colours. InvalidArgument: another file, or an unknown colour (the first one, how many pixels
// it has, and where it is).
MaskDecoder ColourMask(const std::vector<ColourMeaning>& colours);

}  // namespace candor
