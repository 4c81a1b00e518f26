// SPDX-License-Identifier: Apache-2.0
//
// A learned observer (after Besnier, Picard, Briot 2021): beside a frozen network, a head learns what the network's
// predictions with dropout disagree on. Nobody has to label anything.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "core/model/bundle.h"
#include "trainer/training/objective.h"
#include "trainer/training/training_run.h"

namespace candor {

// Makes `job`, whose spec is a student's with head kObserver, one that starts from the weights of `teacher`, which has
// to stay until the job is done. InvalidArgument: a teacher that does not sample with dropout, or is of another width.
absl::Status ObserveTeacher(const Bundle& teacher, TrainingJob* job);

// The mean binary cross-entropy of each learned map's scores (upsampled by 4, before the sigmoid) with the teacher's
// map as a share of its range, over the pixels of options.pixels, summed over kinds and times options.weight. The
// disagreement of two draws at a pixel is a probability: this loss is proper for it (it is least at the mean of what is
// seen), and unlike RMSLE its gradient does not vanish where the sigmoid is saturated. `net` is shared with the caller.
std::unique_ptr<Objective> MakeObserverObjective(SegmentationNet net, TrainingPrecision precision, Teacher teacher,
                                                 const UncertaintyLossOptions& options);

}  // namespace candor
