// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/model/model_spec.h"
#include "core/model/uncertainty_kind.h"

namespace candor {

// How a reducer has to read the scores of a model.
struct ScoreMeaning {
  // The kinds that Scores::uncertainty answers for, a channel each; empty where its channels are none of kinds.
  std::vector<UncertaintyKind> learned;
  // The one learned kind has a channel a class, and the label's counts.
  bool is_learned_per_class = false;
  // Class scores are ln a of a Dirichlet with parameters a.
  bool is_dirichlet = false;
};

// Of the predictor of a bundle.
ScoreMeaning MeaningOf(const ModelSpec& spec);

}  // namespace candor
