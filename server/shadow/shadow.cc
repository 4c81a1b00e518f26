// SPDX-License-Identifier: Apache-2.0
#include "server/shadow/shadow.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/shadow/comparison.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

bool Has(const ModelSpec& spec, UncertaintyKind kind) {
  return std::find(spec.uncertainty.begin(), spec.uncertainty.end(), kind) != spec.uncertainty.end();
}

}  // namespace

Shadow::Shadow(std::string model, double share, double max_busy_share, InferenceScheduler& scheduler,
               WorkerPool& workers, Metrics& metrics)
    : model_(std::move(model)),
      budget_(share, max_busy_share, steady_clock::now()),
      scheduler_(scheduler),
      workers_(workers),
      metrics_(metrics) {}

Shadow::~Shadow() {
  is_stopping_ = true;
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &Shadow::IsIdle));
}

void Shadow::Ended() {
  absl::MutexLock lock(&mu_);
  --under_way_;
}

bool Shadow::Wants(const ModelRegistry& models, const LoadedModel& answering) {
  const absl::StatusOr<const LoadedModel*> second = models.Find(model_);
  if (!second.ok() || *second == &answering) return false;
  const ModelSpec& first_spec = answering.segmenter->info().spec;
  const ModelSpec& second_spec = (*second)->segmenter->info().spec;
  const bool is_comparable =
      first_spec.class_count() == second_spec.class_count() && Has(second_spec, first_spec.default_kind());
  return is_comparable && budget_.Take(steady_clock::now());
}

void Shadow::Check(const ModelRegistry& models, const LoadedModel& answering, Image image, Segmentation answer) {
  const absl::StatusOr<const LoadedModel*> second = models.Find(model_);
  if (!second.ok()) return Skip();
  InferenceJob job;
  job.segmenter = (*second)->segmenter;
  job.picture = Picture(std::move(image));
  job.kinds = {{answer.kinds[0].statistics.kind, /*want_map=*/true, 0}};
  job.priority = Priority::kIdle;
  job.cancelled = [this] { return is_stopping_.load(); };  // the scheduler stops it too when a request comes
  {
    absl::MutexLock lock(&mu_);
    ++under_way_;
  }
  const auto shared = std::make_shared<const Segmentation>(std::move(answer));
  const std::string name = answering.segmenter->info().name;
  const absl::Status status = scheduler_.Submit(std::move(job), [this, shared, name](InferenceOutcome outcome) {
    budget_.Spend(std::chrono::duration_cast<ShadowBudget::Duration>(
        std::chrono::duration<double, std::milli>(outcome.infer_ms)));
    const auto held = std::make_shared<InferenceOutcome>(std::move(outcome));
    workers_.Submit([this, shared, name, held] {
      Compared(name, *shared, std::move(*held));
      Ended();
    });
  });
  if (!status.ok()) {
    Ended();
    Skip();
    metrics_.ShadowGaveWay(name);
  }
}

void Shadow::Compared(const std::string& model, const Segmentation& answer, InferenceOutcome outcome) {
  if (absl::IsCancelled(outcome.result.status())) {
    metrics_.ShadowGaveWay(model);
  } else if (outcome.result.ok() && outcome.result->labels.size() == answer.labels.size()) {
    const Comparison comparison = Compare(answer, *outcome.result);
    metrics_.ShadowCompared(model, comparison.agreement, comparison.rmse, comparison.correlation);
  } else {
    metrics_.ShadowFailed(model);
  }
}

}  // namespace candor
