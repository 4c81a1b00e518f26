// SPDX-License-Identifier: Apache-2.0
//
// --uncertainty KIND, and what a model says about the kind.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/segmentation_client.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace candor {

// Declares --uncertainty; names outside the protocol are refused.
void AddKindFlag(CLI::App* app, std::string* kind);

// Unit and range of `kind`; empty: the model's default. FailedPrecondition: the model cannot give it; names those it
// can.
absl::StatusOr<KindDescription> FindKind(const ModelDescription& model, const std::string& kind);

}  // namespace candor
