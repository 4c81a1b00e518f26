// SPDX-License-Identifier: Apache-2.0
//
// From the pieces of a reply's large field, as they came off the network, to the values that the caller gets. Pure
// functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "wire/large_fields.h"

namespace candor {

// The bytes of a large field, for which it holds a placeholder of `split`; null: it holds them itself. Borrows both.
BytePieces PiecesOf(const std::string& field, const SplitMessage* split);

std::vector<uint8_t> GatherBytes(absl::Span<const absl::string_view> pieces);
// Little-endian IEEE singles, four bytes each in all.
std::vector<float> GatherFloats(absl::Span<const absl::string_view> pieces);

// Little-endian IEEE halves, two bytes each in all.
std::vector<float> GatherHalves(absl::Span<const absl::string_view> pieces);

// Whether all are finite and >= 0.
bool AreUncertainties(absl::Span<const float> values);

}  // namespace candor
