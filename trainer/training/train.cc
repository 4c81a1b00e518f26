// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/train.h"

#include <torch/torch.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/model/class_list.h"
#include "core/nn/torch_guard.h"
#include "core/uncertainty/make_predictor.h"
#include "trainer/training/encoder_weights.h"
#include "trainer/training/member_method.h"
#include "trainer/training/observer_objective.h"
#include "trainer/training/prepare_training.h"
#include "trainer/training/run_folder.h"
#include "trainer/training/shared_encoder.h"
#include "trainer/training/student_objective.h"
#include "trainer/training/training_run.h"
#include "trainer/write_model.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

// Parts the student's randomness from that of every member.
constexpr uint64_t kStudentStream = 1000000;

// The parts of a spec that the options and the data decide.
absl::StatusOr<ModelSpec> SpecFrom(const TrainOptions& options, ModelKind kind) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> data, OpenDataset(options.data, options.train_split));
  ModelSpec spec;
  spec.kind = kind;
  spec.width = options.width;
  spec.classes = data->classes();
  spec.normalisation = options.loader.normalisation;
  spec.training = options.training;
  return spec;
}

// What a student's bundle says of the way it was made.
void DescribeStudent(const TrainOptions& options, ModelSpec* spec) {
  switch (options.student.method) {
    case StudentMethod::kDudes:
      spec->learned = options.uncertainty.targets;
      break;
    case StudentMethod::kKnowledge:
      spec->kind = ModelKind::kSingle;
      break;
    case StudentMethod::kDirichlet:
      spec->sampling.method = SamplingMethod::kDirichlet;
      break;
    case StudentMethod::kLogitGaussian:
      spec->sampling.method = SamplingMethod::kLogitSamples;
      spec->sampling.passes = options.passes;
      spec->sampling.rank = options.student.rank;
      break;
    case StudentMethod::kDenseStddev:
      spec->head = UncertaintyHead::kPerClass;
      spec->learned = {UncertaintyKind::kPredictiveStddev};
      break;
    case StudentMethod::kObserver:
      spec->head = UncertaintyHead::kObserver;
      spec->learned = options.uncertainty.targets;
      break;
  }
}

// Learns uncertainty maps of its own choice; others learn from predictions (see LoadTeacherSamples).
bool HasTargets(const TrainOptions& options) {
  return options.student.method == StudentMethod::kDudes || options.student.method == StudentMethod::kObserver;
}

absl::Status CheckTeacher(const Bundle& teacher, const ModelSpec& student, const TrainOptions& options) {
  const std::string theirs = ClassNames(teacher.spec.classes);
  const std::string ours = ClassNames(student.classes);
  if (theirs != ours) {
    return absl::InvalidArgumentError(
        absl::StrCat(teacher.directory, ": its classes (", theirs, ") must be the data's (", ours, ")"));
  }
  for (int i = 0; i < 3; ++i) {
    if (teacher.spec.normalisation.mean[i] != student.normalisation.mean[i] ||
        teacher.spec.normalisation.stddev[i] != student.normalisation.stddev[i]) {
      return absl::InvalidArgumentError(absl::StrCat(
          teacher.directory, ": its normalisation must be the configuration's, since both see one picture"));
    }
  }
  if (!HasTargets(options)) return absl::OkStatus();
  for (const UncertaintyKind kind : options.uncertainty.targets) {
    const auto& kinds = teacher.spec.uncertainty;
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "targets: ", UncertaintyKindName(kind), " is nothing that ", teacher.directory, " gives; it has ",
          absl::StrJoin(kinds, ", ",
                        [](std::string* out, UncertaintyKind k) { absl::StrAppend(out, UncertaintyKindName(k)); })));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<RunOutcome> TrainMemberUnguarded(const TrainOptions& options, const std::string& run, int index,
                                                const RunControl& control) {
  ASSIGN_OR_RETURN(const TrainingDevice device, PrepareTraining(options));
  TrainingJob job;
  job.name = absl::StrCat("member ", index);
  job.folder = MemberFolder(run, index);
  job.model_folder = MemberModel(run, index);
  ASSIGN_OR_RETURN(job.spec, SpecFrom(options, ModelKind::kSingle));
  job.stream = static_cast<uint64_t>(index);
  job.spec.sampling = MemberSampling(options);
  job.initialise = [&options](SegmentationNet& net) { return InitialiseMember(options, net); };
  if (options.shared_encoder && index > 0) RETURN_IF_ERROR(StartFromFirstMember(run, &job));
  job.make_objective = [&options](SegmentationNet net, torch::Tensor class_weights) {
    return MakeMemberObjective(options, std::move(net), std::move(class_weights));
  };
  return Train(options, job, device, control);
}

absl::Status WriteTeacherUnguarded(const TrainOptions& options, const std::string& run, const std::string& out) {
  RETURN_IF_ERROR(CheckMembersMakeEnsemble(options));
  if (fs::exists(absl::StrCat(out, "/model.json"))) return absl::OkStatus();
  std::vector<int> unfinished;
  for (int i = 0; i < options.members; ++i) {
    if (!fs::exists(absl::StrCat(MemberModel(run, i), "/model.json"))) unfinished.push_back(i);
  }
  if (!unfinished.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(run, ": members ", absl::StrJoin(unfinished, ", "), " of ", options.members, " are not finished"));
  }
  ASSIGN_OR_RETURN(ModelSpec spec, SpecFrom(options, ModelKind::kEnsemble));
  spec.is_encoder_shared = options.shared_encoder;
  std::vector<TensorFile> members;
  for (int i = 0; i < options.members; ++i) {
    ASSIGN_OR_RETURN(Bundle member, ReadBundle(MemberModel(run, i)));
    members.push_back(std::move(member.members[0]));
  }
  return WriteModel(std::move(spec), std::move(members), options.store, out);
}

absl::StatusOr<RunOutcome> DistillUnguarded(const TrainOptions& options, const std::string& run,
                                            const std::string& teacher, const std::string& out,
                                            const RunControl& control) {
  ASSIGN_OR_RETURN(const TrainingDevice device, PrepareTraining(options));
  TrainingJob job;
  job.name = "student";
  job.folder = DistillationFolder(run);
  job.model_folder = out;
  ASSIGN_OR_RETURN(job.spec, SpecFrom(options, ModelKind::kStudent));
  DescribeStudent(options, &job.spec);
  job.stream = kStudentStream;
  ASSIGN_OR_RETURN(const Bundle bundle, OpenBundle(teacher));
  const bool is_observer = options.student.method == StudentMethod::kObserver;
  if (is_observer) RETURN_IF_ERROR(ObserveTeacher(bundle, &job));
  RETURN_IF_ERROR(CheckTeacher(bundle, job.spec, options));
  job.identity = {{"teacher_digest", bundle.digest}};
  if (!is_observer && !options.encoder_weights.empty()) {
    job.initialise = [&options](SegmentationNet& net) { return LoadEncoder(options.encoder_weights, net); };
  }
  ASSIGN_OR_RETURN(StudentTeacher loaded, LoadTeacher(options, bundle, device));
  job.make_objective = [&](SegmentationNet net, torch::Tensor class_weights) {
    return MakeStudentObjective(options, std::move(net), std::move(class_weights), std::move(loaded));
  };
  return Train(options, job, device, control);
}

}  // namespace

absl::Status CheckMembersMakeEnsemble(const TrainOptions& options) {
  if (options.member_method == MemberMethod::kPlain) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "member_method: must be plain for an ensemble of members; a bayes or batch_ensemble member is a teacher by "
      "itself: distill --teacher RUN/members/0/model");
}

absl::StatusOr<RunOutcome> TrainMember(const TrainOptions& options, const std::string& run, int index,
                                       const RunControl& control) {
  return GuardTorch([&] { return TrainMemberUnguarded(options, run, index, control); });
}

absl::Status WriteTeacher(const TrainOptions& options, const std::string& run, const std::string& out) {
  return GuardTorch([&] { return WriteTeacherUnguarded(options, run, out); });
}

absl::StatusOr<RunOutcome> Distill(const TrainOptions& options, const std::string& run, const std::string& teacher,
                                   const std::string& out, const RunControl& control) {
  return GuardTorch([&] { return DistillUnguarded(options, run, teacher, out, control); });
}

}  // namespace candor
