// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/score_meaning.h"

namespace candor {

ScoreMeaning MeaningOf(const ModelSpec& spec) {
  ScoreMeaning meaning;
  meaning.learned = spec.learned;
  meaning.is_learned_per_class = spec.head == UncertaintyHead::kPerClass;
  meaning.is_dirichlet = spec.sampling.method == SamplingMethod::kDirichlet;
  return meaning;
}

}  // namespace candor
