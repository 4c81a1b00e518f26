// SPDX-License-Identifier: Apache-2.0
//
// How one network gives several predictions, in model.json: {"method": "none"},
// {"method": "mc_dropout", "passes": 10, "dropout": 0.2},
// {"method": "augmentation", "views": [{"scale": 1, "flip": true}, ...]},
// {"method": "weight_samples", "passes": 10, "decoder_only": false}, {"method": "rank_one", "passes": 4},
// {"method": "logit_samples", "passes": 16, "rank": 0} or {"method": "dirichlet"}.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "nlohmann/json.hpp"

namespace candor {

nlohmann::ordered_json SamplingToJson(const Sampling& sampling);

// Shape and types; the values are checked by CheckSampling. Errors begin with `path`.
absl::StatusOr<Sampling> SamplingFromJson(const nlohmann::json& value, const std::string& path);

// The rules of spec.sampling. Errors begin with the field's path in model.json.
absl::Status CheckSampling(const ModelSpec& spec);

}  // namespace candor
