// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace candor {

// SHA-256 of the bytes as 64 lower-case hex digits.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace candor
