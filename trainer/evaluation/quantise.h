// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "trainer/data/dataset.h"
#include "trainer/evaluation/evaluate.h"

namespace candor {

// Least share of pixels that keep the label they have in fp32, and largest mean difference of the uncertainty over its
// range, for int8 to be allowed.
inline constexpr double kLeastAgreement = 0.995;
inline constexpr double kLargestDifference = 0.01;

// Loads the bundle's model with these options for fitting.
using FittingLoader =
    std::function<absl::StatusOr<std::unique_ptr<Segmenter>>(LoadOptions options, Precision precision)>;

// Measures, on a split, the ranges of the encoder's maps in fp32, compares what the model says in int8 by them with
// what it says in fp32, and writes them into model.json if the two agree as above; returns what was found, a line of
// text. `note`: the data, recorded where the bundle has no calibration yet. Errors of `load` and of UpdateBundleSpec;
// FailedPrecondition: they do not agree, or not on the known answer. The bundle is as before then.
absl::StatusOr<std::string> QuantiseBundle(const std::string& bundle, const FittingLoader& load, const Dataset& dataset,
                                           const std::string& note, const EvaluationControl& control);

}  // namespace candor
