// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/data/dataset.h"

namespace candor {

// The weight of each class in the cross-entropy. "none": empty. "median_frequency": the median of the classes'
// frequencies divided by the class's own, a class's frequency being its pixels over all labelled pixels of the pictures
// it is in (Eigen and Fergus 2015); 0 for a class that is nowhere; reads the whole split. Else one number >= 0 a class,
// separated by commas. InvalidArgument: another text, or another number of weights.
absl::StatusOr<std::vector<float>> ClassWeights(const std::string& rule, const Dataset& dataset);

}  // namespace candor
