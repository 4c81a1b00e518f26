// SPDX-License-Identifier: Apache-2.0
#include "client/cli/training_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "client/cli/console.h"
#include "client/cli/table.h"

namespace candor {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kBarCells = 24;

double ShareDone(const TrainingRun::Training& training) {
  if (training.is_done) return 1;
  return training.steps > 0 ? static_cast<double>(training.step) / static_cast<double>(training.steps) : 0;
}

bool IsUnderWay(const TrainingRun::Training& training) { return !training.is_done && training.step > 0; }

// What fits beside the rest on a wide terminal; the run by itself is shown with all of it.
std::string Beginning(const std::string& text) {
  constexpr size_t kMost = 80;
  return text.size() <= kMost ? text : absl::StrCat(text.substr(0, kMost), "...");
}

std::string Percent(double share) { return absl::StrFormat("%.0f %%", 100 * share); }

std::string NumberOrDash(double value) { return std::isnan(value) ? "-" : absl::StrFormat("%.4f", value); }

std::string TimeOf(int64_t unix_ms) {
  return unix_ms == 0 ? "-"
                      : absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixMillis(unix_ms), absl::LocalTimeZone());
}

Json TimeJson(int64_t unix_ms) {
  if (unix_ms == 0) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
}

Json NumberJson(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

}  // namespace

void PrintRuns(const std::vector<TrainingRun>& runs, std::ostream& out) {
  Table table({"RUN", "STATE", "DONE", "CREATED", "ENDED", "MESSAGE"});
  for (const TrainingRun& run : runs) {
    table.AddRow({OneLine(run.name), OneLine(run.state), Percent(run.progress), TimeOf(run.create_time_ms),
                  TimeOf(run.end_time_ms), OneLine(Beginning(run.message))});
  }
  table.Print(out);
}

void PrintRun(const TrainingRun& run, std::ostream& out) {
  out << OneLine(run.name) << ": " << OneLine(run.state) << ", " << Percent(run.progress) << " done ("
      << OneLine(run.executor) << ", " << OneLine(run.directory) << ")\n";
  if (!run.message.empty()) out << OneLine(run.message) << "\n";
  Table table({"TRAINING", "DONE", "STEP", "STEPS", "LOSS", "MIOU", "IMAGES/S"});
  for (const TrainingRun::Training& training : run.trainings) {
    table.AddRow({OneLine(training.name), Percent(ShareDone(training)), absl::StrCat(training.step),
                  absl::StrCat(training.steps), NumberOrDash(training.loss), NumberOrDash(training.validation_miou),
                  IsUnderWay(training) && !run.has_ended ? absl::StrFormat("%.1f", training.images_per_second) : "-"});
  }
  table.Print(out);
}

std::string ProgressLine(const TrainingRun& run) {
  std::string line = absl::StrCat(OneLine(run.name), " ");
  const int cells = static_cast<int>(std::clamp(run.progress, 0.0, 1.0) * kBarCells);
  for (int i = 0; i < kBarCells; ++i) absl::StrAppend(&line, i < cells ? "━" : "·");
  absl::StrAppend(&line, " ", Percent(run.progress), "  ", OneLine(run.state));
  double speed = 0;
  const char* separator = "  ";
  for (const TrainingRun::Training& training : run.trainings) {
    if (!IsUnderWay(training)) continue;
    absl::StrAppend(&line, separator, OneLine(training.name), " ", Percent(ShareDone(training)));
    separator = ", ";
    speed += training.images_per_second;
  }
  if (speed > 0) absl::StrAppendFormat(&line, "  %.1f images/s", speed);
  return line;
}

Json TrainingRunJson(const TrainingRun& run) {
  Json trainings = Json::array();
  for (const TrainingRun::Training& training : run.trainings) {
    trainings.push_back({{"name", training.name},
                         {"done", training.is_done},
                         {"step", training.step},
                         {"steps", training.steps},
                         {"loss", NumberJson(training.loss)},
                         {"images_per_second", training.images_per_second},
                         {"validation_miou", NumberJson(training.validation_miou)}});
  }
  return {{"run", run.name},
          {"state", run.state},
          {"message", run.message},
          {"directory", run.directory},
          {"executor", run.executor},
          {"created", TimeJson(run.create_time_ms)},
          {"started", TimeJson(run.start_time_ms)},
          {"ended", TimeJson(run.end_time_ms)},
          {"starts", run.starts},
          {"progress", run.progress},
          {"trainings", std::move(trainings)}};
}

}  // namespace candor
