// SPDX-License-Identifier: Apache-2.0
//
// What each figure of results.json means, in one sentence with its source: written into the file itself.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace candor {

struct MetricDefinition {
  absl::string_view name;  // as in results.json
  absl::string_view definition;
};

// In the order of results.json.
absl::Span<const MetricDefinition> MetricDefinitions();

// Empty for a name that has none.
absl::string_view MetricDefinitionOf(absl::string_view name);

}  // namespace candor
