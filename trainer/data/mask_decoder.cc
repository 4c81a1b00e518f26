// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/mask_decoder.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/data/dataset.h"

namespace candor {
namespace {

absl::Status CheckIsPng(absl::string_view bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("empty file");
  if (absl::StartsWith(bytes, "\xff\xd8\xff")) {
    return absl::InvalidArgumentError("a mask must be PNG: JPEG changes class indices");
  }
  return absl::OkStatus();
}

std::string PixelName(size_t at, int width) {
  const auto columns = static_cast<size_t>(width);
  return absl::StrCat("x ", at % columns, ", y ", at / columns);
}

std::string PixelCount(int64_t count) { return absl::StrCat(count, count == 1 ? " pixel" : " pixels"); }

absl::Status UnknownValueError(const IndexMap& map, const IndexTable& table) {
  const auto is_unknown = [&](uint16_t value) {
    return value >= table.meaning.size() || table.meaning[value] == IndexTable::kUnknownValue;
  };
  uint16_t smallest = 65535;
  for (uint16_t value : map.values) {
    if (is_unknown(value)) smallest = std::min(smallest, value);
  }
  const auto first = std::find(map.values.begin(), map.values.end(), smallest);
  const auto count = std::count(map.values.begin(), map.values.end(), smallest);
  const bool has_hint = !table.hint.empty() && smallest >= table.hint_min && smallest <= table.hint_max;
  return absl::InvalidArgumentError(absl::StrCat("value ", smallest, " is no class (", PixelCount(count), ", first at ",
                                                 PixelName(static_cast<size_t>(first - map.values.begin()), map.width),
                                                 ")", has_hint ? absl::StrCat(": ", table.hint) : ""));
}

absl::StatusOr<ByteMap> DecodeIndices(absl::string_view bytes, const IndexTable& table) {
  RETURN_IF_ERROR(CheckIsPng(bytes));
  ASSIGN_OR_RETURN(const IndexMap map, DecodeIndexPng(bytes, kDataLimits));
  ByteMap labels{map.width, map.height, std::vector<uint8_t>(map.values.size())};
  for (size_t i = 0; i < map.values.size(); ++i) {
    const uint16_t value = map.values[i];
    const int meaning = value < table.meaning.size() ? table.meaning[value] : IndexTable::kUnknownValue;
    if (meaning == IndexTable::kUnknownValue) return UnknownValueError(map, table);
    labels.values[i] = static_cast<uint8_t>(meaning);
  }
  return labels;
}

uint32_t Packed(uint8_t red, uint8_t green, uint8_t blue) {
  return static_cast<uint32_t>(red << 16 | green << 8 | blue);
}

uint32_t PackedAt(const Image& image, size_t i) {
  return Packed(image.pixels[3 * i], image.pixels[3 * i + 1], image.pixels[3 * i + 2]);
}

using ColourTable = std::unordered_map<uint32_t, uint8_t>;

absl::StatusOr<ByteMap> DecodeColours(absl::string_view bytes, const ColourTable& table) {
  RETURN_IF_ERROR(CheckIsPng(bytes));
  ASSIGN_OR_RETURN(const Image image, DecodeImage(bytes, kDataLimits));
  ByteMap labels{image.width, image.height, std::vector<uint8_t>(image.pixels.size() / 3)};
  // Neighbours are mostly of one colour.
  auto last = table.end();
  for (size_t i = 0; i < labels.values.size(); ++i) {
    const uint32_t colour = PackedAt(image, i);
    if (last == table.end() || last->first != colour) last = table.find(colour);
    if (last == table.end()) {
      int64_t count = 0;
      for (size_t j = i; j < labels.values.size(); ++j) count += PackedAt(image, j) == colour ? 1 : 0;
      return absl::InvalidArgumentError(absl::StrCat("colour (", colour >> 16, ", ", colour >> 8 & 255, ", ",
                                                     colour & 255, ") is no class (", PixelCount(count), ", first at ",
                                                     PixelName(i, image.width), ")"));
    }
    labels.values[i] = last->second;
  }
  return labels;
}

}  // namespace

IndexTable PlainIndices(int classes, const std::vector<int>& ignored) {
  IndexTable table;
  int size = classes;
  for (int value : ignored) size = std::max(size, value + 1);
  table.meaning.assign(static_cast<size_t>(size), IndexTable::kUnknownValue);
  for (int value = 0; value < classes; ++value) {
    table.meaning[static_cast<size_t>(value)] = static_cast<int16_t>(value);
  }
  for (int value : ignored) table.meaning[static_cast<size_t>(value)] = kIgnoreLabel;
  return table;
}

MaskDecoder IndexMask(IndexTable table) {
  return [table = std::move(table)](absl::string_view bytes) { return DecodeIndices(bytes, table); };
}

MaskDecoder ColourMask(const std::vector<ColourMeaning>& colours) {
  ColourTable table;
  for (const auto& [colour, label] : colours) table[Packed(colour.red, colour.green, colour.blue)] = label;
  return [table = std::move(table)](absl::string_view bytes) { return DecodeColours(bytes, table); };
}

}  // namespace candor
