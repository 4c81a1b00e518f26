// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/training_events.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{1} << 30;

void Take(const nlohmann::json& event, const char* key, double* value) {
  if (event.contains(key) && event[key].is_number()) *value = event[key].get<double>();
}

TrainingCurve CurveOf(absl::string_view text, const std::string& name) {
  TrainingCurve curve;
  curve.name = name;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const auto event = nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (!event.is_object() || !event.contains("step") || !event["step"].is_number_integer()) continue;
    TrainingPoint point;
    point.step = event["step"].get<int64_t>();
    Take(event, "epoch", &point.epoch);
    Take(event, "loss", &point.loss);
    Take(event, "segmentation_loss", &point.segmentation_loss);
    Take(event, "uncertainty_loss", &point.uncertainty_loss);
    Take(event, "learning_rate", &point.learning_rate);
    Take(event, "miou", &point.validation_miou);
    Take(event, "images_per_second", &point.images_per_second);
    if (point.epoch == point.epoch) curve.points.push_back(point);  // start and end have no epoch
  }
  std::stable_sort(curve.points.begin(), curve.points.end(),
                   [](const TrainingPoint& a, const TrainingPoint& b) { return a.step < b.step; });
  return curve;
}

// The folders of a run that may hold events, with names for people; members by number.
std::vector<std::pair<std::string, fs::path>> Places(const fs::path& run) {
  std::vector<std::pair<std::string, fs::path>> places;
  std::error_code error;
  for (int i = 0; fs::exists(run / "members" / absl::StrCat(i), error); ++i) {
    places.emplace_back(absl::StrCat("member ", i), run / "members" / absl::StrCat(i));
  }
  places.emplace_back("student", run / "distillation");
  return places;
}

}  // namespace

absl::StatusOr<std::vector<TrainingCurve>> ReadTrainingCurves(const std::string& run) {
  std::vector<TrainingCurve> curves;
  for (const auto& [name, folder] : Places(run)) {
    const std::string path = (folder / "events.jsonl").string();
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBytes));
    curves.push_back(CurveOf(text, name));
  }
  if (curves.empty()) {
    return absl::NotFoundError(absl::StrCat(run, ": no events.jsonl below members/ or distillation/"));
  }
  return curves;
}

}  // namespace candor
