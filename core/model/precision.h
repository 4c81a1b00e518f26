// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

// The type a network computes in. Sums are in fp32 always; what the network says is float32 always.
enum class Precision {
  kAuto,  // kBf16 where the processor multiplies bfloat16 natively, else kFp32
  kFp32,
  kBf16,  // activations and weights rounded to bfloat16
  kInt8,  // the encoder's stages in 8 bits, by calibrated ranges; the rest as for kAuto
};

absl::StatusOr<Precision> ParsePrecision(
    absl::string_view name);  // "auto", "fp32", "bf16", "int8"; InvalidArgument otherwise

absl::string_view PrecisionName(Precision precision);

}  // namespace candor
