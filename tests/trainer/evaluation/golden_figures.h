// SPDX-License-Identifier: Apache-2.0
//
// tests/golden/metrics.json: figures of the synthetic split by NumPy, scikit-learn and SciPy.
#pragma once

#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace candor {

// The whole file; empty, with a test failure, if it cannot be read.
nlohmann::json GoldenFigures();

// Fails the test unless the numbers are within `tolerance`, or NaN where the golden ones are null.
void ExpectNear(double actual, const nlohmann::json& golden, double tolerance, const std::string& what);
void ExpectNear(const std::vector<double>& actual, const nlohmann::json& golden, double tolerance,
                const std::string& what);

}  // namespace candor
