// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/swag.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/nn/torch_guard.h"
#include "core/nn/weights.h"
#include "trainer/training/checkpoint.h"
#include "trainer/training/derived_seed.h"
#include "trainer/training/join_snapshots.h"
#include "trainer/training/prepare_training.h"
#include "trainer/training/refresh_norms.h"
#include "trainer/training/run_folder.h"
#include "trainer/training/shared_encoder.h"
#include "trainer/training/snapshots.h"
#include "trainer/training/swag_posterior.h"
#include "trainer/training/training_run.h"
#include "trainer/write_model.h"

namespace candor {
namespace {

// Parts a draw's randomness from all that training_run.cc derives.
enum Purpose : uint64_t { kWeights = 101, kDropout = 102 };

absl::Status CheckOptions(const SwagOptions& swag) {
  if (swag.samples < 2 || swag.samples > 128) {
    return absl::InvalidArgumentError(absl::StrCat("samples: must be in [2, 128], got ", swag.samples));
  }
  if (!(swag.scale > 0 && swag.scale <= 10)) {
    return absl::InvalidArgumentError(absl::StrCat("scale: must be in (0, 10], got ", swag.scale));
  }
  if (HoldsBundle(swag.out)) return absl::AlreadyExistsError(absl::StrCat(swag.out, ": a bundle is there already"));
  return absl::OkStatus();
}

// The member's training must be what the options describe: its data and crops are used again.
absl::Status CheckTraining(const TrainOptions& options, const TrainingJob& job, const Dataset& train) {
  ASSIGN_OR_RETURN(const auto identity, IdentityOf(options, job, train));
  ASSIGN_OR_RETURN(const std::optional<Checkpoint> checkpoint, LoadNewestCheckpoint(job.folder));
  if (!checkpoint.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(job.folder, ": has no checkpoint of its training"));
  }
  return CheckSameRun(checkpoint->identity, identity);
}

absl::StatusOr<SwagPosterior> FitToSnapshots(const TrainOptions& options, const std::string& folder) {
  const std::vector<std::string> files = ListSnapshots(folder);
  if (files.size() < 2 || options.optimizer.schedule != LearningSchedule::kConstantTail) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, "/snapshots: must have at least 2 snapshots of schedule constant_tail, has ", files.size(),
                     options.optimizer.schedule == LearningSchedule::kConstantTail ? "" : " of another schedule"));
  }
  std::vector<TensorFile> iterates;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(TensorFile iterate, ReadSnapshot(file));
    iterates.push_back(std::move(iterate));
  }
  return SwagPosterior::Fit(iterates);
}

// Draws, and measures their batch norm statistics.
class Sampler {
 public:
  Sampler(const TrainOptions& options, const TrainingJob& job, const Dataset& train, torch::Device device)
      : options_(options), job_(job), train_(train), device_(device), loader_options_(options.loader) {
    loader_options_.normalisation = job.spec.normalisation;
    loader_options_.member = static_cast<int>(job.stream);
  }

  absl::StatusOr<TensorFile> Draw(const SwagPosterior& posterior, int index, double scale,
                                  const std::function<bool()>& stop_requested) const {
    const auto draw = static_cast<uint64_t>(index);
    SegmentationNet net = MakeNetwork(job_.spec);
    RETURN_IF_ERROR(LoadWeights(posterior.Draw(DerivedSeed({options_.seed, job_.stream, kWeights, draw}), scale), net));
    net->to(device_);
    torch::manual_seed(DerivedSeed({options_.seed, job_.stream, kDropout, draw}));
    const std::unique_ptr<BatchLoader> loader = StartLoader(train_, loader_options_, /*first_step=*/0);
    Batch batch;  // outlives the tensor that borrows from it
    const auto next_images = [&]() -> absl::StatusOr<torch::Tensor> {
      ASSIGN_OR_RETURN(batch, loader->Next());
      return torch::from_blob(batch.images.data(), {batch.count, batch.crop, batch.crop, 3}, torch::kFloat32)
          .permute({0, 3, 1, 2})
          .to(device_);
    };
    RETURN_IF_ERROR(RefreshNorms(net, options_.precision, BatchesPerEpoch(train_.size(), loader_options_), next_images,
                                 stop_requested));
    return SaveWeights(net);
  }

 private:
  const TrainOptions& options_;
  const TrainingJob& job_;
  const Dataset& train_;
  const torch::Device device_;
  LoaderOptions loader_options_;
};

absl::StatusOr<RunOutcome> SampleUnguarded(const TrainOptions& options, const std::string& run, const SwagOptions& swag,
                                           const std::function<bool()>& stop_requested) {
  RETURN_IF_ERROR(CheckOptions(swag));
  TrainingJob job;
  job.folder = MemberFolder(run, swag.index);
  job.stream = static_cast<uint64_t>(swag.index);
  ASSIGN_OR_RETURN(ModelSpec spec, EnsembleLike(MemberModel(run, swag.index)));
  job.spec = spec;
  if (options.shared_encoder && swag.index > 0) RETURN_IF_ERROR(StartFromFirstMember(run, &job));
  ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> train, OpenDataset(options.data, options.train_split));
  RETURN_IF_ERROR(CheckTraining(options, job, *train));
  ASSIGN_OR_RETURN(const SwagPosterior posterior, FitToSnapshots(options, job.folder));
  ASSIGN_OR_RETURN(const TrainingDevice device, PrepareTraining(options));
  const Sampler sampler(options, job, *train, device.device);
  std::vector<TensorFile> members;
  for (int i = 0; i < swag.samples; ++i) {
    absl::StatusOr<TensorFile> member = sampler.Draw(posterior, i, swag.scale, stop_requested);
    if (absl::IsCancelled(member.status())) return RunOutcome::kStopped;
    RETURN_IF_ERROR(member.status());
    members.push_back(*std::move(member));
    LogInfo("drawn", {{"draw", i + 1}, {"of", swag.samples}});
  }
  RETURN_IF_ERROR(WriteModel(std::move(spec), std::move(members), options.store, swag.out));
  return RunOutcome::kDone;
}

}  // namespace

absl::StatusOr<RunOutcome> SampleSwag(const TrainOptions& options, const std::string& run, const SwagOptions& swag,
                                      const std::function<bool()>& stop_requested) {
  return GuardTorch([&] { return SampleUnguarded(options, run, swag, stop_requested); });
}

}  // namespace candor
