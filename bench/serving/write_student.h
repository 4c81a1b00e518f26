// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"

namespace candor {

// A bundle of a full-width student of 19 classes with random weights, the same every time.
absl::Status WriteStudent(const std::string& folder);

}  // namespace candor
