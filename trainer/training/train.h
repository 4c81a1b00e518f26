// SPDX-License-Identifier: Apache-2.0
//
// The two trainings of DUDES: members of the teacher, then the student. Plain C++: no exception leaves these functions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainer/train_options.h"
#include "trainer/training/observer.h"

namespace candor {

// kDone: the model is there. kStopped: asked to stop; a checkpoint is saved, the same call goes on.
enum class RunOutcome { kDone, kStopped };

struct RunControl {
  std::function<bool()> stop_requested;  // asked before each step and each validation picture; not null
  std::vector<TrainingObserver*> observers;
};

// Trains member `index` (0 .. options.members - 1) from its own random start, or goes on with it.
// With options.shared_encoder a member beyond the first starts from member 0's encoder and leaves it as it is.
// Errors of training_run.h's Train; FailedPrecondition: no such device, or member 0 is not finished though its encoder
// is to be shared.
absl::StatusOr<RunOutcome> TrainMember(const TrainOptions& options, const std::string& run, int index,
                                       const RunControl& control);

// FailedPrecondition: members by this method make no ensemble, each is a model of several predictions already.
absl::Status CheckMembersMakeEnsemble(const TrainOptions& options);

// Joins the finished members into the ensemble's bundle at `out`, unless it is there. FailedPrecondition: members that
// are not finished, by number; or that make none. InvalidArgument: options.shared_encoder, but a member has another
// encoder.
absl::Status WriteTeacher(const TrainOptions& options, const std::string& run, const std::string& out);

// Trains the student of `teacher`, a bundle of any kind that gives the targets; its classes and normalisation must be
// the data's and the options'. The student's bundle is written to `out`.
absl::StatusOr<RunOutcome> Distill(const TrainOptions& options, const std::string& run, const std::string& teacher,
                                   const std::string& out, const RunControl& control);

}  // namespace candor
