// SPDX-License-Identifier: Apache-2.0
//
// Uncertainty for a model that is trained already: energy and feature density.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "trainer/data/dataset.h"
#include "trainer/evaluation/evaluate.h"

namespace candor {

struct FitOptions {
  std::string bundle;                               // of kind single, without sampling
  UncertaintyHead head = UncertaintyHead::kEnergy;  // or kFeatureDensity
  int components = 0;                               // ModelSpec::density_components
  std::string note;                                 // what it is fitted on, for model.json's "training"
  Device device = Device::kCpu;                     // from PrepareDevice
  std::string out;                                  // folder of the new bundle
};

// Fits a head and writes the model with it to options.out; the network is the same to the bit. Returns what was found
// as lines of text. For both: the logistic scale (logistic_scale.h), on labelled pixels of `scale_data`, at most 4096
// of a picture, evenly spread. For kFeatureDensity before that: a Gaussian a class (class_moments.h) over all labelled
// pixels of `density_data`, which is null for kEnergy. A pixel is one of the scores', with the label of the picture's
// pixel nearest to it. Of the bundle's calibration its temperature stays: verdict and reference are of another kind.
//
// InvalidArgument: a bundle of another kind, with sampling or with a head; data of other classes; components out of
// range. FailedPrecondition: data that do not give a fit. AlreadyExists: options.out holds a bundle. Cancelled: stop
// was requested. Errors of Read and ReadBundle. Nothing is written then.
absl::StatusOr<std::string> FitHead(const FitOptions& options, const Dataset* density_data, const Dataset& scale_data,
                                    const EvaluationControl& control);

}  // namespace candor
