// SPDX-License-Identifier: Apache-2.0
#include "fuzz/serving.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "fuzz/target.h"
#include "tests/testing/fake_segmenter.h"

namespace candor {
namespace {

constexpr int kCallsOfOne = 5000;

ModelInfo StreetInfo() {
  ModelInfo info =
      WithVerdict(FakeModelInfo("street", ModelKind::kStudent), UncertaintyKind::kPredictiveEntropy, 0.2F, 0.6F);
  info.spec.groups = {{"drivable", {0, 2}}};
  return info;
}

ModelInfo CommitteeInfo() { return FakeModelInfo("committee", ModelKind::kEnsemble); }

ModelMetricsInfo MetricsOf(const ModelInfo& info) {
  ModelMetricsInfo metrics;
  metrics.name = info.name;
  metrics.version = info.version;
  metrics.default_kind = info.spec.default_kind();
  for (const ClassSpec& item : info.spec.classes) metrics.class_names.push_back(item.name);
  metrics.gives_verdicts = info.spec.calibration.has_value();
  return metrics;
}

std::shared_ptr<const ModelRegistry> MakeModels() {
  std::vector<LoadedModel> models(2);
  models[0].segmenter = std::make_shared<FakeSegmenter>(StreetInfo());
  models[1].segmenter = std::make_shared<FakeSegmenter>(CommitteeInfo());
  auto registry = ModelRegistry::Create(std::move(models), "");
  Demand(registry.ok(), "two fakes can be served", registry.status().ToString());
  return *std::move(registry);
}

class Inside {
 public:
  Inside() = default;
  // Pictures of a request that failed may still be under way.
  ~Inside() { admission_.WaitUntilEmpty(absl::InfiniteDuration()); }

  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  const ServingContext& context() const { return context_; }

 private:
  ModelHub models_{MakeModels()};
  Metrics metrics_{"0", "fuzz", {MetricsOf(StreetInfo()), MetricsOf(CommitteeInfo())}};
  InferenceStatistics statistics_;
  Admission admission_{64, std::chrono::seconds(10)};
  InferenceScheduler scheduler_{InferenceScheduler::Limits{64}};
  WorkerPool workers_{1};
  ServingContext context_{models_, scheduler_, workers_, admission_, metrics_, statistics_, kFuzzDecodeLimits};
};

}  // namespace

const ServingContext& FuzzServing() {
  static std::unique_ptr<Inside> inside;
  static int calls = 0;
  if (calls++ % kCallsOfOne == 0) {
    SetLogLevel(LogLevel::kError);  // a line for each call otherwise
    inside.reset();
    inside = std::make_unique<Inside>();
  }
  return inside->context();
}

}  // namespace candor
