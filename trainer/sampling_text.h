// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/model/model_spec.h"

namespace candor {

// "mc_dropout:RATE:PASSES", as "mc_dropout:0.2:10"; "augmentation:VIEW,VIEW,...", a view being a scale and "f" for
// mirrored, as "augmentation:1,1f,0.75,0.75f"; "weight_samples:PASSES", with ":decoder" where only the decoder and the
// head are Gaussian; or "rank_one:MEMBERS". InvalidArgument names the text and the rule; the numbers' ranges are
// ValidateModelSpec's.
absl::StatusOr<Sampling> ParseSampling(absl::string_view text);

}  // namespace candor
