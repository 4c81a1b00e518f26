// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/model/model_spec.h"
#include "core/model/verdict.h"
#include "core/uncertainty/segmentation.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "server/metrics/uncertainty_drift.h"

namespace candor {

// The parts of a request that are timed.
enum class Stage { kDecode, kQueue, kInfer, kEncode };

// What became of a frame of a stream.
enum class FrameOutcome { kAnswered, kSuperseded, kLate, kRefused, kFailed };

// A loaded model, as its metrics need it.
struct ModelMetricsInfo {
  std::string name;
  int version = 1;
  double load_seconds = 0;
  UncertaintyKind default_kind = UncertaintyKind::kPredictiveEntropy;
  std::vector<std::string> class_names;
  bool gives_verdicts = false;
  std::optional<Calibration::Reference> reference = std::nullopt;  // to measure drift by
  int members = 1;                                                 // that answer
  int damaged_members = 0;                                         // besides these, whose files could not be read
};

// Everything the server counts, prefix candor_. Label values come from closed sets only: methods, status codes, and the
// loaded models with their classes; other model names are "unknown". A model's counts stay when it is unloaded.
// Thread-safe.
class Metrics {
 public:
  // Label of requests whose model is not loaded, and of methods without a model.
  static constexpr absl::string_view kUnknownModel = "unknown";
  static constexpr absl::string_view kNoModel = "none";
  // Further cameras share the label "other".
  static constexpr size_t kMostCameras = 64;

  Metrics(absl::string_view version, absl::string_view git, const std::vector<ModelMetricsInfo>& models);

  // From now on `model` is counted. A name that is there already goes on with its counts.
  void AddModel(const ModelMetricsInfo& model) ABSL_LOCKS_EXCLUDED(mu_);
  // A version of it was loaded while serving, or was to be.
  void ModelLoadEnded(absl::string_view model, bool has_succeeded);
  // Readiness says SERVING of these models, and of no other that is or was loaded; further names are ignored.
  void ModelsServe(const std::set<std::string>& names) ABSL_LOCKS_EXCLUDED(mu_);
  // It is served no more.
  void RemoveModel(absl::string_view name, int version) ABSL_LOCKS_EXCLUDED(mu_);

  void RequestStarted();
  void RequestFinished(absl::string_view method, absl::string_view model, absl::StatusCode code, double seconds)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The caller cancelled, or its deadline passed, before the answer was sent. The request still finishes, with that
  // code.
  void RequestAbandoned();

  // `model` has to be loaded, else nothing is counted.
  void StageFinished(absl::string_view model, Stage stage, double seconds);
  // The drift is of the reference's kind, if `segmentation` has it. The first of `segmentation.kinds` is the model's
  // default kind. `has_server_threshold`: its threshold is the configured one, so that its share above threshold is
  // comparable between pictures.
  void PictureSegmented(absl::string_view model, const Segmentation& segmentation, bool has_server_threshold);

  // A picture of `model` ran in a batch of that many.
  void BatchRan(absl::string_view model, int size);

  // A request that began with `model` asked for an escalation, which ended so (a closed set of words).
  void EscalationEnded(absl::string_view model, absl::string_view outcome);

  // A shadow check of an answer of `model`: its figures; it gave way to a request; it failed.
  void ShadowCompared(absl::string_view model, double agreement, double rmse, double correlation);
  void ShadowGaveWay(absl::string_view model) { CountShadow(model, "gave_way"); }
  void ShadowFailed(absl::string_view model) { CountShadow(model, "failed"); }

  // A frame of `camera` on a stream ("": no name). Only the first kMostCameras names are told apart.
  void FrameEnded(absl::string_view camera, FrameOutcome outcome) ABSL_LOCKS_EXCLUDED(mu_);

  // `model` has to be loaded and give verdicts, else nothing is counted.
  void VerdictGiven(absl::string_view model, PictureVerdict verdict);

  // For the exposer.
  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

 private:
  struct ModelMetrics {
    prometheus::Histogram* stages[4];  // by Stage
    prometheus::Histogram* batch_size;
    prometheus::Counter* images;
    prometheus::Counter* pixels;
    prometheus::Histogram* image_uncertainty;
    prometheus::Histogram* uncertain_pixel_ratio;
    std::vector<prometheus::Counter*> predicted_pixels;       // by class
    std::vector<prometheus::Counter*> predicted_uncertainty;  // by class
    std::vector<prometheus::Counter*> verdicts;               // by PictureVerdict; empty: it gives none
    UncertaintyKind reference_kind;
    std::shared_ptr<UncertaintyDrift> drift;  // null: no reference, or no longer served
  };

  // Of the requests of one method, model and code.
  struct RequestSeries {
    prometheus::Counter* count;
    prometheus::Histogram* seconds;
  };

  // Found without making and hashing the labels again.
  RequestSeries SeriesFor(absl::string_view method, absl::string_view model, absl::StatusCode code)
      ABSL_LOCKS_EXCLUDED(mu_);
  void CountShadow(absl::string_view model, absl::string_view outcome);
  // Null: not known.
  std::shared_ptr<const ModelMetrics> FindModel(absl::string_view model) const ABSL_LOCKS_EXCLUDED(mu_);

  void MeasureDrift(const std::string& model, const std::shared_ptr<const ModelMetrics>& metrics,
                    const Segmentation& segmentation) ABSL_LOCKS_EXCLUDED(mu_);

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& request_duration_;
  prometheus::Family<prometheus::Histogram>& stage_duration_;
  prometheus::Family<prometheus::Histogram>& batch_size_;
  prometheus::Family<prometheus::Gauge>& model_loaded_;
  prometheus::Family<prometheus::Gauge>& serving_;
  prometheus::Family<prometheus::Gauge>& model_load_seconds_;
  prometheus::Family<prometheus::Gauge>& model_members_;
  prometheus::Family<prometheus::Gauge>& model_members_damaged_;
  prometheus::Family<prometheus::Counter>& model_loads_;
  prometheus::Family<prometheus::Counter>& frames_;
  prometheus::Family<prometheus::Counter>& escalations_;
  prometheus::Family<prometheus::Counter>& shadow_pictures_;
  prometheus::Family<prometheus::Histogram>& shadow_agreement_;
  prometheus::Family<prometheus::Histogram>& shadow_rmse_;
  prometheus::Family<prometheus::Histogram>& shadow_correlation_;
  prometheus::Family<prometheus::Counter>& images_;
  prometheus::Family<prometheus::Counter>& pixels_;
  prometheus::Family<prometheus::Histogram>& image_uncertainty_;
  prometheus::Family<prometheus::Histogram>& uncertain_pixel_ratio_;
  prometheus::Family<prometheus::Counter>& predicted_pixels_;
  prometheus::Family<prometheus::Counter>& predicted_uncertainty_;
  prometheus::Family<prometheus::Counter>& verdicts_;
  prometheus::Family<prometheus::Gauge>& drift_psi_;
  prometheus::Gauge& in_flight_;
  prometheus::Counter& abandoned_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<const ModelMetrics>> models_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, RequestSeries> request_series_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<std::string> cameras_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
