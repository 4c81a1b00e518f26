// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "core/model/model_spec.h"

namespace candor {

inline constexpr int kSmallClasses = 5;

// Writes a bundle of width 8 with formula weights and its right known answer. `change` may spoil the spec before it is
// written. Test failure on any error.
void WriteSmallBundle(const std::string& folder, ModelKind kind, int members,
                      const std::function<void(ModelSpec&)>& change = nullptr);

// Writes an ensemble of such networks that all have member 0's encoder: as a deep sub-ensemble, or with an encoder in
// every file.
void WriteSubEnsemble(const std::string& folder, int members, bool is_encoder_shared);

}  // namespace candor
