// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace candor {

// The text on one line, in valid UTF-8 (what is not becomes "?") and cut after `max_bytes`, never inside a character.
std::string ShortLine(absl::string_view text, size_t max_bytes);

}  // namespace candor
