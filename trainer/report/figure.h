// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace candor {

enum class FigureWidth { kHalf, kFull };

// A figure element around a chart: a title and a caption, both plain text.
std::string Figure(absl::string_view svg, absl::string_view title, absl::string_view caption,
                   FigureWidth width = FigureWidth::kHalf);

}  // namespace candor
