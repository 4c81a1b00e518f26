// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "core/model/model_spec.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

// A bundle's known answer from what its model says about KnownAnswerPicture(), with the map of the default kind as the
// first.
KnownAnswer KnownAnswerFrom(const Segmentation& answer, int classes);

// DataLoss unless at least 99 % of the labels are equal and the uncertainty differs by at most 0.01 of its range on
// average.
absl::Status CheckKnownAnswer(const KnownAnswer& expected, const KnownAnswer& actual);

}  // namespace candor
