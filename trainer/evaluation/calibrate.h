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

struct CalibrateOptions {
  std::string data;  // recorded in the bundle
  double error_rate = 0.1;
  double reject_error_rate = 0.2;
  bool fit_temperature = false;
};

// Loads the bundle's model with this temperature (0: the bundle's own).
using ModelLoader = std::function<absl::StatusOr<std::unique_ptr<Segmenter>>(float temperature)>;

// What the model says about the known answer's picture.
absl::StatusOr<KnownAnswer> AnswerOf(Segmenter* model);

// Fits, on a split the model was not trained on, the temperature if asked for, then, for the model's default kind, the
// verdict's thresholds and the reference histogram; writes them and the known answer into model.json, in one step, and
// returns what was found as lines of text. Errors of Evaluate, FitThresholds, FitTemperature and UpdateBundleSpec; the
// bundle is as before then.
absl::StatusOr<std::string> CalibrateBundle(const std::string& bundle, const ModelLoader& load, const Dataset& dataset,
                                            const CalibrateOptions& options, const EvaluationControl& control);

}  // namespace candor
