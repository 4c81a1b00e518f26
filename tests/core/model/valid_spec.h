// SPDX-License-Identifier: Apache-2.0
//
// The smallest specs that pass every check, for tests to break.
#pragma once

#include "core/model/model_spec.h"

namespace candor {

// Three classes, width 16, all kinds the model kind can give, `files` weight records, known answer all zero.
ModelSpec ValidSpec(ModelKind kind, int files);

}  // namespace candor
