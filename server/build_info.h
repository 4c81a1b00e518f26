// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/strings/string_view.h"

namespace candor {

absl::string_view BuildVersion();  // e.g. "0.1.0"
absl::string_view BuildGit();      // short commit id, or "unknown" outside a checkout

}  // namespace candor
