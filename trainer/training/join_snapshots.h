// SPDX-License-Identifier: Apache-2.0
//
// Ensembles out of one training: of its snapshots (Huang et al. 2017), or of late checkpoints.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/bundle.h"
#include "core/model/model_spec.h"

namespace candor {

struct JoinOptions {
  std::string run;
  int index = 0;    // of the member
  int last = 0;     // the newest so many snapshots, 2 to 128; 0: all
  std::string out;  // the ensemble's bundle
};

// Writes the snapshots of a finished member as an ensemble, the oldest first, in the type that the member's model is
// stored in. FailedPrecondition: the member is not finished, or has kept fewer snapshots than two or than asked for.
// InvalidArgument: `last` out of range, or networks that an ensemble cannot have. Errors of ReadSnapshot and
// WriteModel. No exception leaves it.
absl::Status JoinSnapshots(const JoinOptions& options);

// What an ensemble of networks of a finished member's architecture says of itself. FailedPrecondition: no model at
// `directory`. InvalidArgument: the member samples in a way that an ensemble's members cannot.
absl::StatusOr<ModelSpec> EnsembleLike(const std::string& directory);

// The type a bundle's first weights are stored in. Errors of OpenBundle and ReadMember.
absl::StatusOr<DType> StoredType(const std::string& directory);

}  // namespace candor
