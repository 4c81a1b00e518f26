// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/training_run.h"

#include <cmath>
#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/model/safetensors.h"
#include "core/nn/weights.h"
#include "core/uncertainty/make_predictor.h"
#include "trainer/training/class_weights.h"
#include "trainer/training/derived_seed.h"
#include "trainer/training/folder_lock.h"
#include "trainer/training/learning_rate.h"
#include "trainer/training/snapshots.h"
#include "trainer/training/training_state.h"
#include "trainer/training/validation.h"
#include "trainer/write_model.h"

namespace candor {
namespace {

constexpr int64_t kMaxWeightBytes = int64_t{4} << 30;

// What a derived seed is for.
enum Purpose : uint64_t { kInitialWeights = 1, kDropout = 2 };

double SecondsSince(absl::Time start) { return absl::ToDoubleSeconds(absl::Now() - start); }

class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, const TrainingJob& job, const TrainingDevice& device,
              const RunControl& control)
      : options_(options),
        job_(job),
        device_(device.device),
        make_reducer_(device.make_reducer),
        stop_requested_(control.stop_requested),
        observers_(control.observers) {}

  absl::StatusOr<RunOutcome> Run() {
    RETURN_IF_ERROR(Prepare());
    if (state_->step == steps_ && HasModel()) return RunOutcome::kDone;
    RETURN_IF_ERROR(Start());
    const absl::StatusOr<RunOutcome> outcome = Loop();
    std::string text = "done";
    if (!outcome.ok()) text = std::string(outcome.status().message());
    if (outcome.ok() && *outcome == RunOutcome::kStopped) text = "stopped";
    for (TrainingObserver* observer : observers_) observer->OnEnd(text).IgnoreError();
    return outcome;
  }

 private:
  absl::Status Prepare() {
    RETURN_IF_ERROR(MakeDirectories(job_.folder));
    ASSIGN_OR_RETURN(lock_, FolderLock::Take(job_.folder));
    ASSIGN_OR_RETURN(train_, OpenDataset(options_.data, options_.train_split));
    if (options_.validation_split != "none") {
      ASSIGN_OR_RETURN(validation_, OpenDataset(options_.data, options_.validation_split));
    }
    loader_options_ = options_.loader;
    loader_options_.normalisation = job_.spec.normalisation;
    loader_options_.member = static_cast<int>(job_.stream);
    steps_per_epoch_ = BatchesPerEpoch(train_->size(), loader_options_);
    if (steps_per_epoch_ < 1) {
      return absl::InvalidArgumentError(absl::StrCat(options_.data, ": split ", options_.train_split, " has ",
                                                     train_->size(), " pictures, too few for one batch of ",
                                                     loader_options_.batch_size));
    }
    steps_ = steps_per_epoch_ * options_.epochs;
    ASSIGN_OR_RETURN(identity_, IdentityOf(options_, job_, *train_));
    ASSIGN_OR_RETURN(const std::optional<Checkpoint> checkpoint, LoadNewestCheckpoint(job_.folder));
    if (checkpoint.has_value()) RETURN_IF_ERROR(CheckSameRun(checkpoint->identity, identity_));
    if (!checkpoint.has_value() && HasModel()) {
      return absl::AlreadyExistsError(absl::StrCat(job_.model_folder, ": holds a model, but ", job_.folder,
                                                   " has no checkpoint of its training; choose another folder"));
    }
    torch::manual_seed(DerivedSeed({options_.seed, job_.stream, kInitialWeights}));
    SegmentationNet net = MakeNetwork(job_.spec);
    if (job_.initialise && !checkpoint.has_value()) RETURN_IF_ERROR(job_.initialise(net));
    if (job_.is_encoder_frozen) net->FreezeEncoder();
    state_ = std::make_unique<TrainingState>(job_.spec, std::move(net), options_, device_);
    if (checkpoint.has_value()) {
      RETURN_IF_ERROR(state_->Restore(*checkpoint));
      LogInfo("going on from a checkpoint", {{"run", job_.name}, {"step", state_->step}, {"steps", steps_}});
    }
    return absl::OkStatus();
  }

  bool HasModel() const { return std::filesystem::exists(absl::StrCat(job_.model_folder, "/model.json")); }

  absl::Status Start() {
    ASSIGN_OR_RETURN(const std::vector<float> weights, ClassWeights(options_.class_weights, *train_));
    torch::Tensor class_weights;
    if (!weights.empty()) class_weights = torch::tensor(weights, torch::kFloat32).to(device_);
    objective_ = job_.make_objective(state_->net(), class_weights);
    loader_ = StartLoader(*train_, loader_options_, state_->step);
    saved_at_ = absl::Now();
    RunStart start;
    start.name = job_.name;
    start.steps = steps_;
    start.first_step = state_->step;
    start.steps_per_epoch = steps_per_epoch_;
    start.epochs = options_.epochs;
    for (TrainingObserver* observer : observers_) RETURN_IF_ERROR(observer->OnStart(start));
    return absl::OkStatus();
  }

  absl::StatusOr<RunOutcome> Loop() {
    // A run may have been stopped while it validated.
    if (IsEpochEnd() && state_->validated_step < state_->step) RETURN_IF_ERROR(EndEpoch());
    while (!is_stopped_ && state_->step < steps_) {
      if (stop_requested_()) {
        is_stopped_ = true;
        break;
      }
      RETURN_IF_ERROR(Step());
      if (KeepsWeightsHere()) RETURN_IF_ERROR(KeepSnapshot());
      if (IsEpochEnd()) RETURN_IF_ERROR(EndEpoch());
      if (SecondsSince(saved_at_) >= options_.checkpoint_seconds) RETURN_IF_ERROR(Save());
    }
    if (is_stopped_) {
      RETURN_IF_ERROR(Save());
      return RunOutcome::kStopped;
    }
    RETURN_IF_ERROR(Finish());
    return RunOutcome::kDone;
  }

  absl::Status Step() {
    const absl::Time start = absl::Now();
    const double waited_before = loader_->seconds_waited();
    ASSIGN_OR_RETURN(Batch batch, loader_->Next());
    const double waited = loader_->seconds_waited() - waited_before;
    torch::manual_seed(DerivedSeed({options_.seed, job_.stream, kDropout, static_cast<uint64_t>(state_->step)}));
    state_->optimizer().ZeroGradients();
    ASSIGN_OR_RETURN(const Losses losses, objective_->Compute(ToTensors(batch)));
    StepRecord record;
    record.loss = losses.total.item<double>();
    if (!std::isfinite(record.loss)) {
      return absl::OutOfRangeError(absl::StrCat("step ", state_->step + 1, ": the loss is ", record.loss,
                                                ", must be finite; a lower learning_rate may help; the last good "
                                                "checkpoint is in ",
                                                job_.folder));
    }
    losses.total.backward();
    const double factor = LearningFactor(state_->step, steps_, options_.optimizer);
    state_->optimizer().Step(factor);
    ++state_->step;
    state_->UpdateAverage();

    record.step = state_->step;
    record.epoch = Epoch();
    record.images = batch.count;
    record.segmentation_loss = losses.segmentation.defined() ? losses.segmentation.item<double>() : 0;
    record.uncertainty_loss = losses.uncertainty.defined() ? losses.uncertainty.item<double>() : 0;
    record.learning_rate = options_.optimizer.learning_rate * factor;
    record.seconds = SecondsSince(start);
    record.data_seconds = waited;
    for (TrainingObserver* observer : observers_) RETURN_IF_ERROR(observer->OnStep(record));
    return absl::OkStatus();
  }

  // Borrows the batch's memory on the CPU.
  TensorBatch ToTensors(Batch& batch) const {
    TensorBatch tensors;
    const int64_t n = batch.count;
    const int64_t side = batch.crop;
    tensors.images =
        torch::from_blob(batch.images.data(), {n, side, side, 3}, torch::kFloat32).permute({0, 3, 1, 2}).to(device_);
    tensors.labels = torch::from_blob(batch.labels.data(), {n, side, side}, torch::kUInt8).to(device_);
    tensors.padding = torch::from_blob(batch.padding.data(), {n, side, side}, torch::kUInt8).to(device_);
    tensors.step = state_->step;
    tensors.steps = steps_;
    tensors.steps_per_epoch = steps_per_epoch_;
    return tensors;
  }

  bool IsEpochEnd() const { return state_->step > 0 && state_->step % steps_per_epoch_ == 0; }
  double Epoch() const { return static_cast<double>(state_->step) / static_cast<double>(steps_per_epoch_); }

  absl::Status EndEpoch() {
    const int64_t epoch = state_->step / steps_per_epoch_;
    const bool is_last = epoch == options_.epochs;
    if (validation_ == nullptr) return is_last ? Save() : absl::OkStatus();
    if (epoch % options_.validate_every != 0 && !is_last) return absl::OkStatus();
    RETURN_IF_ERROR(ValidateNow());
    return state_->validated_step == state_->step ? Save() : absl::OkStatus();
  }

  // With the predictor that will serve. Broken off without a result if the run is to stop: it is done again then.
  absl::Status ValidateNow() {
    const absl::Time start = absl::Now();
    RETURN_IF_ERROR(state_->CheckFinite());
    const TensorFile weights = SaveWeights(state_->kept());
    ModelSpec spec = job_.spec;
    spec.uncertainty = UncertaintyKindsOf(spec);
    ASSIGN_OR_RETURN(const std::unique_ptr<Predictor> predictor,
                     MakePredictor(
                         spec, 1, [&weights](size_t) { return weights; }, device_, make_reducer_));
    const auto figures = Validate(predictor.get(), *validation_, device_, spec.normalisation, stop_requested_);
    if (absl::IsCancelled(figures.status())) {
      is_stopped_ = true;
      return absl::OkStatus();
    }
    if (!figures.ok()) return figures.status();
    state_->validated_step = state_->step;
    if (figures->miou > state_->best_miou) {
      state_->best_miou = figures->miou;
      state_->best_step = state_->step;
      if (options_.keep == KeptWeights::kBest) {
        ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(weights));
        RETURN_IF_ERROR(WriteFileAtomically(BestFile(), bytes));
      }
    }
    // For checkpoint ensembles: the weights of the last few validations.
    if (options_.optimizer.schedule == LearningSchedule::kPoly && options_.snapshots > 0) {
      RETURN_IF_ERROR(WriteSnapshot(job_.folder, state_->step, weights, options_.snapshots));
    }
    const ValidationRecord record = {state_->step,  Epoch(),           figures->miou,      figures->accuracy,
                                     figures->munc, state_->best_miou, SecondsSince(start)};
    for (TrainingObserver* observer : observers_) RETURN_IF_ERROR(observer->OnValidation(record));
    return absl::OkStatus();
  }

  bool KeepsWeightsHere() const {
    switch (options_.optimizer.schedule) {
      case LearningSchedule::kCyclic:
        return IsCycleEnd(state_->step, steps_, options_.optimizer.cycles);
      case LearningSchedule::kConstantTail:
        return IsEpochEnd() && state_->step > steps_ - options_.snapshots * steps_per_epoch_;
      case LearningSchedule::kPoly:
        break;
    }
    return false;  // the validations do
  }

  // Before any checkpoint of this step or a later one: a run that goes on has all snapshots before it.
  absl::Status KeepSnapshot() const {
    RETURN_IF_ERROR(state_->CheckFinite());
    const bool is_cyclic = options_.optimizer.schedule == LearningSchedule::kCyclic;
    return WriteSnapshot(job_.folder, state_->step, SaveWeights(state_->kept()),
                         is_cyclic ? options_.optimizer.cycles : options_.snapshots);
  }

  std::string BestFile() const { return absl::StrCat(job_.folder, "/best.safetensors"); }

  absl::Status Save() {
    // A loss that is finite may still bring weights that are not: those would take the last good checkpoint's place.
    RETURN_IF_ERROR(state_->CheckFinite());
    Checkpoint checkpoint = state_->ToCheckpoint();
    checkpoint.identity = identity_;
    RETURN_IF_ERROR(SaveCheckpoint(job_.folder, checkpoint));
    saved_at_ = absl::Now();
    return absl::OkStatus();
  }

  absl::Status Finish() {
    TensorFile weights;
    if (options_.keep == KeptWeights::kBest) {
      ASSIGN_OR_RETURN(const std::string bytes, ReadFile(BestFile(), kMaxWeightBytes));
      ASSIGN_OR_RETURN(weights, ParseSafetensors(bytes));
    } else {
      weights = SaveWeights(state_->kept());
    }
    if (HasModel()) return absl::OkStatus();
    return WriteModel(job_.spec, {std::move(weights)}, options_.store, job_.model_folder);
  }

  const TrainOptions& options_;
  const TrainingJob& job_;
  const torch::Device device_;
  const ReducerFactory make_reducer_;
  const std::function<bool()>& stop_requested_;
  const std::vector<TrainingObserver*>& observers_;
  std::optional<FolderLock> lock_;
  LoaderOptions loader_options_;
  std::vector<std::pair<std::string, std::string>> identity_;
  int64_t steps_per_epoch_ = 0;
  int64_t steps_ = 0;
  std::unique_ptr<Dataset> train_;
  std::unique_ptr<Dataset> validation_;
  std::unique_ptr<TrainingState> state_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<BatchLoader> loader_;  // after train_: its threads read from it
  absl::Time saved_at_;
  bool is_stopped_ = false;
};

}  // namespace

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> IdentityOf(const TrainOptions& options,
                                                                            const TrainingJob& job,
                                                                            const Dataset& train) {
  ASSIGN_OR_RETURN(const std::string fingerprint, train.Fingerprint());
  std::vector<std::pair<std::string, std::string>> identity = options.identity;
  identity.insert(identity.end(), job.identity.begin(), job.identity.end());
  identity.emplace_back("stream", absl::StrCat(job.stream));
  identity.emplace_back("data_digest", fingerprint);
  return identity;
}

absl::StatusOr<RunOutcome> Train(const TrainOptions& options, const TrainingJob& job, const TrainingDevice& device,
                                 const RunControl& control) {
  return TrainingRun(options, job, device, control).Run();
}

}  // namespace candor
