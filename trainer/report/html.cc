// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/html.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace candor {
namespace {

constexpr absl::string_view kMinus = "\xE2\x88\x92";
constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";
constexpr absl::string_view kNarrowSpace = "\xE2\x80\xAF";

// Bytes of the well-formed character at the front of `text`, 0 if there is none (Unicode 15, table 3-7).
size_t CharacterLength(absl::string_view text) {
  const auto byte = [&](size_t i) -> int { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  const auto trails = [&](size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
  const int lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return trails(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    const bool no_character = lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;
    return trails(1) && trails(2) && !overlong && !surrogate && !no_character ? 3 : 0;
  }
  if (lead < 0xF0 || lead > 0xF4) return 0;
  const bool outside = (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
  return trails(1) && trails(2) && trails(3) && !outside ? 4 : 0;
}

void AppendCharacter(absl::string_view character, std::string* html) {
  switch (character[0]) {
    case '&':
      absl::StrAppend(html, "&amp;");
      break;
    case '<':
      absl::StrAppend(html, "&lt;");
      break;
    case '>':
      absl::StrAppend(html, "&gt;");
      break;
    case '"':
      absl::StrAppend(html, "&quot;");
      break;
    case '\'':
      absl::StrAppend(html, "&#39;");
      break;
    default:
      absl::StrAppend(html, character);
  }
}

bool IsControl(char character) {
  return (static_cast<uint8_t>(character) < 0x20 && character != '\t' && character != '\n' && character != '\r') ||
         character == 0x7F;
}

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  std::string html;
  html.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0 || IsControl(text[0])) {
      absl::StrAppend(&html, kReplacement);
    } else {
      AppendCharacter(text.substr(0, length), &html);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return html;
}

std::string Decimal(double value, int digits) {
  if (!std::isfinite(value)) return kDash;
  const std::string text = absl::StrFormat("%.*f", digits, std::abs(value));
  const bool is_zero = text.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !is_zero ? absl::StrCat(kMinus, text) : text;
}

std::string SignedDecimal(double value, int digits) {
  const std::string text = Decimal(value, digits);
  const bool is_zero = text.find_first_not_of("0.") == std::string::npos;
  return value > 0 && std::isfinite(value) && !is_zero ? absl::StrCat("+", text) : text;
}

std::string Percent(double share) { return Decimal(100 * share, 1); }

std::string Count(int64_t value) {
  const std::string digits = absl::StrCat(value < 0 ? -value : value);
  std::string text(value < 0 ? kMinus : "");
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) absl::StrAppend(&text, kNarrowSpace);
    text.push_back(digits[i]);
  }
  return text;
}

std::string DataUri(absl::string_view type, absl::string_view bytes) {
  return absl::StrCat("data:", type, ";base64,", absl::Base64Escape(bytes));
}

}  // namespace candor
