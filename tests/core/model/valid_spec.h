// SPDX-License-Identifier: Apache-2.0
//
// The smallest specs that pass every check, for tests to break.
#pragma once

#include "core/model/model_spec.h"

namespace candor {

// Three classes, width 16, all kinds the model kind can give, `files` weight records, known answer all zero.
ModelSpec ValidSpec(ModelKind kind, int files);

// A single network with ten passes of dropout 0.2.
ModelSpec DropoutSpec();

// A single network with three views: as it is, mirrored, 1.5 times as large.
ModelSpec AugmentedSpec();

// `spec` with every part of a calibration: temperature 1.25; verdict by predictive_entropy, 0.25 and 0.5, error rates
// 0.05 and 0.1; a reference of margin with 1/64 in each bin.
ModelSpec Calibrated(ModelSpec spec);

}  // namespace candor
