// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/event_log.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kMaxBytes = int64_t{1} << 30;

class EventLog : public TrainingObserver {
 public:
  EventLog(const std::string& folder, int every_steps)
      : path_(absl::StrCat(folder, "/events.jsonl")), every_steps_(every_steps) {}
  ~EventLog() override {
    if (file_ != nullptr) std::fclose(file_);
  }
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  absl::Status OnStart(const RunStart& start) override {
    RETURN_IF_ERROR(KeepUpTo(start.first_step));
    file_ = std::fopen(path_.c_str(), "a");
    if (file_ == nullptr) return Broken();
    return Write("start", start.first_step,
                 {{"run", start.name}, {"steps", start.steps}, {"steps_per_epoch", start.steps_per_epoch}});
  }

  absl::Status OnStep(const StepRecord& record) override {
    ++count_;
    sum_.loss += record.loss;
    sum_.segmentation_loss += record.segmentation_loss;
    sum_.uncertainty_loss += record.uncertainty_loss;
    sum_.seconds += record.seconds;
    sum_.data_seconds += record.data_seconds;
    sum_.images += record.images;
    if (record.step % every_steps_ != 0) return absl::OkStatus();
    const double n = count_;
    const absl::Status status = Write("step", record.step,
                                      {{"epoch", record.epoch},
                                       {"loss", sum_.loss / n},
                                       {"segmentation_loss", sum_.segmentation_loss / n},
                                       {"uncertainty_loss", sum_.uncertainty_loss / n},
                                       {"learning_rate", record.learning_rate},
                                       {"images_per_second", sum_.images / sum_.seconds},
                                       {"data_share", sum_.data_seconds / sum_.seconds}});
    count_ = 0;
    sum_ = {};
    return status;
  }

  absl::Status OnValidation(const ValidationRecord& record) override {
    return Write("validation", record.step,
                 {{"epoch", record.epoch},
                  {"miou", record.miou},
                  {"accuracy", record.accuracy},
                  {"munc", record.munc},
                  {"best_miou", record.best_miou},
                  {"seconds", record.seconds}});
  }

  absl::Status OnEnd(const std::string& outcome) override {
    return file_ == nullptr ? absl::OkStatus() : Write("end", last_step_, {{"outcome", outcome}});
  }

 private:
  // Drops lines of later steps, and anything that is no JSON object with a step.
  absl::Status KeepUpTo(int64_t step) {
    if (!std::filesystem::exists(path_)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path_, kMaxBytes));
    std::string kept;
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      const auto event = nlohmann::json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
      const bool counts = event.is_object() && event.contains("step") && event["step"].is_number_integer();
      if (step > 0 && counts && event["step"].get<int64_t>() <= step) absl::StrAppend(&kept, line, "\n");
    }
    return WriteFileAtomically(path_, kept);
  }

  absl::Status Write(const char* event, int64_t step, const ordered_json& fields) {
    last_step_ = step;
    ordered_json line = {{"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone())},
                         {"event", event},
                         {"step", step}};
    line.update(fields);
    const std::string text = line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fflush(file_) != 0) return Broken();
    return absl::OkStatus();
  }

  absl::Status Broken() const {
    return absl::DataLossError(absl::StrCat(path_, ": cannot be written: ", std::strerror(errno)));
  }

  const std::string path_;
  const int every_steps_;
  std::FILE* file_ = nullptr;
  int64_t last_step_ = 0;
  int count_ = 0;
  StepRecord sum_;  // since the last line
};

}  // namespace

std::unique_ptr<TrainingObserver> MakeEventLog(const std::string& folder, int every_steps) {
  return std::make_unique<EventLog>(folder, every_steps);
}

}  // namespace candor
