// SPDX-License-Identifier: Apache-2.0
//
// Text, figures and bytes as they stand in the report's HTML and SVG.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace candor {

// U+2013, what a figure shows that could not be taken.
inline constexpr char kDash[] = "\xE2\x80\x93";

// Safe as text and in a quoted attribute of HTML and XML. What XML cannot hold (control characters but tab and line
// ends, broken UTF-8) becomes U+FFFD.
std::string EscapeHtml(absl::string_view text);

// Fixed point with `digits` behind the point, U+2212 as the minus sign and no negative zero; kDash unless finite.
std::string Decimal(double value, int digits);
// The same with a sign before positive values too.
std::string SignedDecimal(double value, int digits);
// 100 times the share, one digit, no percent sign: 0.7384 is "73.8".
std::string Percent(double share);
// Groups of three parted by U+202F.
std::string Count(int64_t value);

// "data:image/png;base64,...". `type` is a media type.
std::string DataUri(absl::string_view type, absl::string_view bytes);

}  // namespace candor
