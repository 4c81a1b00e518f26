// SPDX-License-Identifier: Apache-2.0
//
// The calibration in model.json: null, or {"data": "...", "temperature": 1.2,
// "verdict": null or {"kind": "...", "accept_max": 0.01, "review_max": 0.03, "error_rate": 0.05,
// "reject_error_rate": 0.1}, "reference": null or {"kind": "...", "histogram": [64 shares]}}.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "nlohmann/json.hpp"

namespace candor {

nlohmann::ordered_json CalibrationToJson(const std::optional<Calibration>& calibration);

// Shape and types; the values are checked by CheckCalibration. Errors begin with `path`.
absl::StatusOr<std::optional<Calibration>> CalibrationFromJson(const nlohmann::json& value, const std::string& path);

// The rules of spec.calibration. Errors begin with the field's path in model.json.
absl::Status CheckCalibration(const ModelSpec& spec);

}  // namespace candor
