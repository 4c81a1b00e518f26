// SPDX-License-Identifier: Apache-2.0
//
// The server's Prometheus metrics.
#include "server/metrics/metrics.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

constexpr const char* kStageNames[] = {"decode", "queue", "infer", "encode"};
constexpr PictureVerdict kVerdicts[] = {PictureVerdict::kAccept, PictureVerdict::kReview, PictureVerdict::kReject};

// From a thumbnail on a GPU to a teacher's large picture on a CPU, in seconds.
prometheus::Histogram::BucketBoundaries SecondsBuckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

// Finer towards 1, where two models of one task are.
prometheus::Histogram::BucketBoundaries AgreementBuckets() {
  return {0, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 1};
}

prometheus::Histogram::BucketBoundaries BatchBuckets() { return {1, 2, 4, 8, 16, 32, 64, 128, 256}; }

// Shares in [0, 1], finer where well-trained models live.
prometheus::Histogram::BucketBoundaries ShareBuckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1};
}

// The same, over [0, range_max].
prometheus::Histogram::BucketBoundaries UncertaintyBuckets(float range_max) {
  prometheus::Histogram::BucketBoundaries buckets = ShareBuckets();
  for (double& bound : buckets) bound *= range_max;
  return buckets;
}

// A counter or histogram that has seen one NaN is lost until the next start.
void ObserveFinite(prometheus::Histogram* histogram, double value) {
  if (std::isfinite(value)) histogram->Observe(value);
}

void IncrementFinite(prometheus::Counter* counter, double value) {
  if (std::isfinite(value) && value > 0) counter->Increment(value);
}

}  // namespace

Metrics::Metrics(absl::string_view version, absl::string_view git, const std::vector<ModelMetricsInfo>& models)
    : registry_(std::make_shared<prometheus::Registry>()),
      requests_(BuildCounter()
                    .Name("candor_requests_total")
                    .Help("Requests answered, by method, model and status code.")
                    .Register(*registry_)),
      request_duration_(BuildHistogram()
                            .Name("candor_request_duration_seconds")
                            .Help("Time from a request's arrival to its answer, whatever the status.")
                            .Register(*registry_)),
      stage_duration_(BuildHistogram()
                          .Name("candor_stage_duration_seconds")
                          .Help("Time of each part of a segmentation request.")
                          .Register(*registry_)),
      batch_size_(BuildHistogram()
                      .Name("candor_batch_size")
                      .Help("Pictures that ran through the network together, counted once for each of them.")
                      .Register(*registry_)),
      model_loaded_(
          BuildGauge().Name("candor_model_loaded").Help("1 for each model that is served.").Register(*registry_)),
      serving_(BuildGauge()
                   .Name("candor_serving")
                   .Help("1 while readiness (grpc.health.v1) says SERVING of the model, else 0.")
                   .Register(*registry_)),
      model_load_seconds_(BuildGauge()
                              .Name("candor_model_load_seconds")
                              .Help("Time to read, verify and warm up the model.")
                              .Register(*registry_)),
      model_members_(
          BuildGauge().Name("candor_model_members").Help("Members of each model that is served.").Register(*registry_)),
      model_members_damaged_(BuildGauge()
                                 .Name("candor_model_members_damaged")
                                 .Help("Members that a served ensemble is without since their files could not be read.")
                                 .Register(*registry_)),
      model_loads_(BuildCounter()
                       .Name("candor_model_loads_total")
                       .Help("Versions loaded while serving, by model and result.")
                       .Register(*registry_)),
      frames_(BuildCounter()
                  .Name("candor_stream_frames_total")
                  .Help("Frames of streams, by camera and by what became of them.")
                  .Register(*registry_)),
      escalations_(BuildCounter()
                       .Name("candor_escalations_total")
                       .Help("Requests with an escalation, by the first model and by what came of it.")
                       .Register(*registry_)),
      shadow_pictures_(BuildCounter()
                           .Name("candor_shadow_pictures_total")
                           .Help("Answers that a second model was to check, by the model that answered.")
                           .Register(*registry_)),
      shadow_agreement_(BuildHistogram()
                            .Name("candor_shadow_agreement")
                            .Help("Share of each checked picture's pixels to which both models give one label.")
                            .Register(*registry_)),
      shadow_rmse_(BuildHistogram()
                       .Name("candor_shadow_uncertainty_rmse")
                       .Help("Root mean squared difference of both models' uncertainty, of the answering model's "
                             "default kind, in its unit.")
                       .Register(*registry_)),
      shadow_correlation_(BuildHistogram()
                              .Name("candor_shadow_uncertainty_correlation")
                              .Help("Pearson's correlation of both models' uncertainty maps.")
                              .Register(*registry_)),
      images_(BuildCounter().Name("candor_images_total").Help("Pictures segmented.").Register(*registry_)),
      pixels_(BuildCounter().Name("candor_pixels_total").Help("Pixels segmented.").Register(*registry_)),
      image_uncertainty_(BuildHistogram()
                             .Name("candor_image_uncertainty")
                             .Help("Mean uncertainty of each picture, of the model's default kind, in its unit.")
                             .Register(*registry_)),
      uncertain_pixel_ratio_(BuildHistogram()
                                 .Name("candor_uncertain_pixel_ratio")
                                 .Help("Share of each picture's pixels above the configured uncertainty threshold.")
                                 .Register(*registry_)),
      predicted_pixels_(BuildCounter()
                            .Name("candor_predicted_pixels_total")
                            .Help("Pixels given each class label.")
                            .Register(*registry_)),
      predicted_uncertainty_(BuildCounter()
                                 .Name("candor_predicted_uncertainty_total")
                                 .Help("Uncertainty summed over the pixels of each class label; its rate over that of "
                                       "candor_predicted_pixels_total is the class's mean.")
                                 .Register(*registry_)),
      verdicts_(BuildCounter()
                    .Name("candor_verdicts_total")
                    .Help("Pictures by verdict, of models calibrated to give one.")
                    .Register(*registry_)),
      drift_psi_(BuildGauge()
                     .Name("candor_uncertainty_drift_psi")
                     .Help("Population stability index of the recent pictures' uncertainty against the bundle's "
                           "reference; by custom above 0.25 is a large change.")
                     .Register(*registry_)),
      in_flight_(BuildGauge()
                     .Name("candor_requests_in_flight")
                     .Help("Requests received and not yet answered.")
                     .Register(*registry_)
                     .Add({})),
      abandoned_(BuildCounter()
                     .Name("candor_requests_abandoned_total")
                     .Help("Requests whose caller cancelled, or whose deadline passed, before the answer.")
                     .Register(*registry_)
                     .Add({})) {
  BuildGauge()
      .Name("candor_build_info")
      .Help("Always 1; what is running is in the labels.")
      .Register(*registry_)
      .Add({{"version", std::string(version)}, {"git", std::string(git)}})
      .Set(1);
  for (const ModelMetricsInfo& model : models) AddModel(model);
}

void Metrics::AddModel(const ModelMetricsInfo& model) {
  // A family's Add returns the series of those labels if it is there already.
  model_loaded_.Add({{"model", model.name}, {"version", absl::StrCat(model.version)}}).Set(1);
  serving_.Add({{"model", model.name}});  // 0 until readiness says more
  model_load_seconds_.Add({{"model", model.name}}).Set(model.load_seconds);
  model_members_.Add({{"model", model.name}}).Set(model.members);
  model_members_damaged_.Add({{"model", model.name}}).Set(model.damaged_members);
  for (const char* result : {"ok", "failed"}) model_loads_.Add({{"model", model.name}, {"result", result}});

  const float range_max = UncertaintyKindMax(model.default_kind, static_cast<int>(model.class_names.size()));
  const prometheus::Labels labels = {{"model", model.name}};
  ModelMetrics metrics;
  for (int stage = 0; stage < 4; ++stage) {
    metrics.stages[stage] =
        &stage_duration_.Add({{"model", model.name}, {"stage", kStageNames[stage]}}, SecondsBuckets());
  }
  metrics.batch_size = &batch_size_.Add(labels, BatchBuckets());
  metrics.images = &images_.Add(labels);
  metrics.pixels = &pixels_.Add(labels);
  metrics.image_uncertainty =
      &image_uncertainty_.Add({{"model", model.name}, {"kind", std::string(UncertaintyKindName(model.default_kind))}},
                              UncertaintyBuckets(range_max));
  metrics.uncertain_pixel_ratio = &uncertain_pixel_ratio_.Add(labels, ShareBuckets());
  for (const std::string& class_name : model.class_names) {
    const prometheus::Labels class_labels = {{"model", model.name}, {"class", class_name}};
    metrics.predicted_pixels.push_back(&predicted_pixels_.Add(class_labels));
    metrics.predicted_uncertainty.push_back(&predicted_uncertainty_.Add(class_labels));
  }
  if (model.gives_verdicts) {
    for (const PictureVerdict verdict : kVerdicts) {
      metrics.verdicts.push_back(
          &verdicts_.Add({{"model", model.name}, {"verdict", std::string(PictureVerdictName(verdict))}}));
    }
  }
  metrics.reference_kind = model.default_kind;
  if (model.reference.has_value()) {
    metrics.reference_kind = model.reference->kind;
    metrics.drift = std::make_shared<UncertaintyDrift>(model.reference->histogram);
  }
  {
    absl::MutexLock lock(&mu_);
    drift_psi_.Remove(&drift_psi_.Add(labels));  // of another version, or none yet
    models_[model.name] = std::make_shared<const ModelMetrics>(std::move(metrics));
  }
  // Rates of a series that starts at its first request miss that request.
  requests_.Add({{"method", "Segment"}, {"model", model.name}, {"code", "OK"}});
}

void Metrics::ModelLoadEnded(absl::string_view model, bool has_succeeded) {
  model_loads_.Add({{"model", std::string(model)}, {"result", has_succeeded ? "ok" : "failed"}}).Increment();
}

void Metrics::ModelsServe(const std::set<std::string>& names) {
  absl::MutexLock lock(&mu_);
  for (const auto& [model, metrics] : models_) serving_.Add({{"model", model}}).Set(names.count(model));
}

void Metrics::RemoveModel(absl::string_view name, int version) {
  const std::string model(name);
  model_loaded_.Remove(&model_loaded_.Add({{"model", model}, {"version", absl::StrCat(version)}}));
  model_members_.Remove(&model_members_.Add({{"model", model}}));
  model_members_damaged_.Remove(&model_members_damaged_.Add({{"model", model}}));
  absl::MutexLock lock(&mu_);
  drift_psi_.Remove(&drift_psi_.Add({{"model", model}}));
  const auto found = models_.find(model);
  if (found == models_.end()) return;
  ModelMetrics without_drift = *found->second;
  without_drift.drift.reset();
  found->second = std::make_shared<const ModelMetrics>(std::move(without_drift));
}

std::shared_ptr<const Metrics::ModelMetrics> Metrics::FindModel(absl::string_view model) const {
  absl::MutexLock lock(&mu_);
  const auto found = models_.find(model);
  return found == models_.end() ? nullptr : found->second;
}

void Metrics::RequestStarted() { in_flight_.Increment(); }

void Metrics::RequestAbandoned() { abandoned_.Increment(); }

void Metrics::RequestFinished(absl::string_view method, absl::string_view model, absl::StatusCode code,
                              double seconds) {
  in_flight_.Decrement();
  const bool is_known = model == kNoModel || FindModel(model) != nullptr;
  const RequestSeries series = SeriesFor(method, is_known ? model : kUnknownModel, code);
  series.count->Increment();
  ObserveFinite(series.seconds, seconds);
}

Metrics::RequestSeries Metrics::SeriesFor(absl::string_view method, absl::string_view model, absl::StatusCode code) {
  const std::string key = absl::StrCat(static_cast<int>(code), " ", method, " ", model);
  absl::MutexLock lock(&mu_);
  const auto known = request_series_.find(key);
  if (known != request_series_.end()) return known->second;
  const std::string method_label(method);
  const std::string model_label(model);
  const RequestSeries series = {
      &requests_.Add({{"method", method_label}, {"model", model_label}, {"code", absl::StatusCodeToString(code)}}),
      &request_duration_.Add({{"method", method_label}, {"model", model_label}}, SecondsBuckets())};
  return request_series_.emplace(key, series).first->second;
}

void Metrics::StageFinished(absl::string_view model, Stage stage, double seconds) {
  const auto metrics = FindModel(model);
  if (metrics != nullptr) ObserveFinite(metrics->stages[static_cast<int>(stage)], seconds);
}

void Metrics::BatchRan(absl::string_view model, int size) {
  const auto metrics = FindModel(model);
  if (metrics != nullptr) metrics->batch_size->Observe(size);
}

void Metrics::EscalationEnded(absl::string_view model, absl::string_view outcome) {
  escalations_.Add({{"model", std::string(model)}, {"outcome", std::string(outcome)}}).Increment();
}

void Metrics::CountShadow(absl::string_view model, absl::string_view outcome) {
  shadow_pictures_.Add({{"model", std::string(model)}, {"outcome", std::string(outcome)}}).Increment();
}

void Metrics::ShadowCompared(absl::string_view model, double agreement, double rmse, double correlation) {
  const prometheus::Labels labels = {{"model", std::string(model)}};
  CountShadow(model, "compared");
  ObserveFinite(&shadow_agreement_.Add(labels, AgreementBuckets()), agreement);
  ObserveFinite(&shadow_rmse_.Add(labels, ShareBuckets()), rmse);
  ObserveFinite(&shadow_correlation_.Add(labels, AgreementBuckets()), correlation);
}

void Metrics::FrameEnded(absl::string_view camera, FrameOutcome outcome) {
  constexpr const char* kOutcomes[] = {"answered", "superseded", "late", "refused", "failed"};
  std::string label = camera.empty() ? "none" : std::string(camera);
  {
    absl::MutexLock lock(&mu_);
    if (cameras_.size() < kMostCameras) {
      cameras_.insert(label);
    } else if (!cameras_.contains(label)) {
      label = "other";
    }
  }
  frames_.Add({{"camera", label}, {"outcome", kOutcomes[static_cast<int>(outcome)]}}).Increment();
}

void Metrics::VerdictGiven(absl::string_view model, PictureVerdict verdict) {
  const auto metrics = FindModel(model);
  if (metrics != nullptr && !metrics->verdicts.empty()) metrics->verdicts[static_cast<size_t>(verdict)]->Increment();
}

void Metrics::MeasureDrift(const std::string& model, const std::shared_ptr<const ModelMetrics>& metrics,
                           const Segmentation& segmentation) {
  if (metrics->drift == nullptr) return;
  for (const KindResult& kind : segmentation.kinds) {
    if (kind.statistics.kind != metrics->reference_kind) continue;
    const std::optional<double> index = metrics->drift->Add(kind.statistics.histogram);
    if (!index.has_value()) return;
    // Held over the call, so that the series is not removed meanwhile, nor comes back after it.
    absl::MutexLock lock(&mu_);
    const auto found = models_.find(model);
    if (found != models_.end() && found->second == metrics) drift_psi_.Add({{"model", model}}).Set(*index);
    return;
  }
}

void Metrics::PictureSegmented(absl::string_view model, const Segmentation& segmentation, bool has_server_threshold) {
  const auto metrics = FindModel(model);
  if (metrics == nullptr) return;
  metrics->images->Increment();
  metrics->pixels->Increment(static_cast<double>(segmentation.width) * segmentation.height);
  if (!segmentation.kinds.empty()) {
    const KindStatistics& statistics = segmentation.kinds.front().statistics;
    ObserveFinite(metrics->image_uncertainty, statistics.mean);
    if (has_server_threshold) ObserveFinite(metrics->uncertain_pixel_ratio, statistics.share_above_threshold);
  }
  MeasureDrift(std::string(model), metrics, segmentation);
  const size_t classes = std::min(segmentation.classes.size(), metrics->predicted_pixels.size());
  for (size_t i = 0; i < classes; ++i) {
    IncrementFinite(metrics->predicted_pixels[i], static_cast<double>(segmentation.classes[i].pixels));
    IncrementFinite(metrics->predicted_uncertainty[i], segmentation.classes[i].uncertainty_sum);
  }
}

}  // namespace candor
