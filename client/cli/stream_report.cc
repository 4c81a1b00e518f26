// SPDX-License-Identifier: Apache-2.0
//
// Counting, sorting and printing.
#include "client/cli/stream_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/bench/load_summary.h"
#include "client/cli/console.h"
#include "client/cli/json_number.h"
#include "client/cli/table.h"
#include "client/error_details.h"

namespace candor {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kRecent = 50;  // answers that a rate is taken over

template <typename Enum>
size_t Index(Enum value) {
  return static_cast<size_t>(value);
}

double Rounded(double value) { return std::round(value * 1e3) / 1e3; }

// Of no values: 0.
double Quantile(const std::vector<float>& values, int permille) {
  if (values.empty()) return 0;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return NearestRank(sorted, permille);
}

double Mean(double sum, size_t count) { return count == 0 ? 0 : sum / static_cast<double>(count); }

}  // namespace

void StreamFigures::Add(const PlayedFrame& frame, const SegmentedPicture* picture) {
  Camera& camera = cameras_[static_cast<size_t>(frame.camera)];
  camera.name = frame.camera_name;
  if (frame.fate == FrameFate::kPreliminary) {
    camera.preliminary_ms.push_back(static_cast<float>(frame.latency_ms()));
    return;
  }
  ++camera.counts[Index(frame.fate)];
  seconds_ = std::max(seconds_, frame.done_s);
  if (const absl::Status* error = frame.answer.error(); error != nullptr && first_error_.ok()) first_error_ = *error;
  if (frame.fate != FrameFate::kAnswered) return;
  camera.latencies_ms.push_back(static_cast<float>(frame.latency_ms()));
  if (const UncertaintyResult* uncertainty = picture->uncertainty())
    camera.uncertainty_sum += uncertainty->figures.mean;
  camera.members_sum += picture->result.members;
  ++camera.escalations[Index(picture->result.escalation)];
  if (last_done_s_.size() == kRecent) last_done_s_.erase(last_done_s_.begin());
  last_done_s_.push_back(frame.done_s);
}

int64_t StreamFigures::count(FrameFate fate) const {
  int64_t sum = 0;
  for (const Camera& camera : cameras_) sum += camera.counts[Index(fate)];
  return sum;
}

int64_t StreamFigures::frames() const {
  int64_t sum = 0;
  for (const Camera& camera : cameras_) sum += std::accumulate(camera.counts.begin(), camera.counts.end(), int64_t{0});
  return sum;
}

StreamFigures::Camera StreamFigures::Total() const {
  Camera total;
  total.name = "all";
  for (const Camera& camera : cameras_) {
    for (size_t i = 0; i < total.counts.size(); ++i) total.counts[i] += camera.counts[i];
    total.latencies_ms.insert(total.latencies_ms.end(), camera.latencies_ms.begin(), camera.latencies_ms.end());
    total.preliminary_ms.insert(total.preliminary_ms.end(), camera.preliminary_ms.begin(), camera.preliminary_ms.end());
    for (size_t i = 0; i < total.escalations.size(); ++i) total.escalations[i] += camera.escalations[i];
    total.uncertainty_sum += camera.uncertainty_sum;
    total.members_sum += camera.members_sum;
  }
  return total;
}

std::string StreamFigures::NowLine() const {
  const Camera total = Total();
  const double span_s = last_done_s_.size() < 2 ? 0 : last_done_s_.back() - last_done_s_.front();
  const double rate = span_s > 0 ? static_cast<double>(last_done_s_.size() - 1) / span_s : 0;
  return absl::StrFormat(
      "%.1f answers/s, %d frames, %d superseded, %d skipped, %d late, %d failed, p50 %.0f ms, p99 "
      "%.0f ms, uncertainty %.4f",
      rate, frames(), count(FrameFate::kSuperseded), count(FrameFate::kSkipped), count(FrameFate::kLate),
      count(FrameFate::kFailed), Quantile(total.latencies_ms, 500), Quantile(total.latencies_ms, 990),
      Mean(total.uncertainty_sum, total.latencies_ms.size()));
}

void StreamFigures::Print(std::ostream& out) const {
  std::vector<std::string> header = {"CAMERA", "FRAMES",    "ANSWERED", "SUPERSEDED", "SKIPPED", "LATE",
                                     "FAILED", "ANSWERS/S", "P50 MS",   "P99 MS",     "MAX MS",  "MEAN UNCERTAINTY"};
  if (asked_.anytime || asked_.escalation) header.emplace_back("MEAN MEMBERS");
  if (asked_.escalation) header.insert(header.end(), {"ESCALATED", "PRELIMINARY", "PRELIMINARY P50 MS"});
  Table table(header);
  std::vector<Camera> rows = cameras_;
  if (rows.size() > 1) rows.push_back(Total());
  for (const Camera& camera : rows) {
    std::vector<std::string> row = {
        OneLine(camera.name), absl::StrCat(std::accumulate(camera.counts.begin(), camera.counts.end(), int64_t{0}))};
    for (const int64_t count : camera.counts) row.push_back(absl::StrCat(count));
    const auto answered = static_cast<double>(camera.latencies_ms.size());
    row.push_back(absl::StrFormat("%.2f", seconds_ > 0 ? answered / seconds_ : 0));
    for (const int permille : {500, 990, 1000}) {
      row.push_back(absl::StrFormat("%.1f", Quantile(camera.latencies_ms, permille)));
    }
    row.push_back(absl::StrFormat("%.4f", Mean(camera.uncertainty_sum, camera.latencies_ms.size())));
    if (asked_.anytime || asked_.escalation) {
      row.push_back(absl::StrFormat("%.2f", Mean(static_cast<double>(camera.members_sum), camera.latencies_ms.size())));
    }
    if (asked_.escalation) {
      row.push_back(absl::StrCat(camera.escalations[Index(EscalationOutcome::kEscalated)]));
      row.push_back(absl::StrCat(camera.preliminary_ms.size()));
      row.push_back(absl::StrFormat("%.1f", Quantile(camera.preliminary_ms, 500)));
    }
    table.AddRow(row);
  }
  table.Print(out);
}

OrderedJson StreamFigures::EscalationJson(const Camera& total) const {
  OrderedJson json = {
      {"preliminary", total.preliminary_ms.size()},
      {"preliminary_latency_ms",
       {{"p50", Rounded(Quantile(total.preliminary_ms, 500))}, {"p99", Rounded(Quantile(total.preliminary_ms, 990))}}}};
  for (const EscalationOutcome outcome : {EscalationOutcome::kNotNeeded, EscalationOutcome::kEscalated,
                                          EscalationOutcome::kNoTime, EscalationOutcome::kSecondFailed}) {
    json[std::string(EscalationOutcomeName(outcome))] = total.escalations[Index(outcome)];
  }
  return json;
}

nlohmann::ordered_json StreamFigures::Json(const std::optional<StreamStatistics>& server) const {
  const Camera total = Total();
  const size_t answered = total.latencies_ms.size();
  const double sum = std::accumulate(total.latencies_ms.begin(), total.latencies_ms.end(), 0.0);
  nlohmann::ordered_json json = {{"frames", frames()}};
  for (size_t i = 0; i < total.counts.size(); ++i) json[FrameFateName(static_cast<FrameFate>(i))] = total.counts[i];
  json["seconds"] = Rounded(seconds_);
  json["answers_per_second"] = Rounded(seconds_ > 0 ? static_cast<double>(answered) / seconds_ : 0);
  json["latency_ms"] = {{"p50", Rounded(Quantile(total.latencies_ms, 500))},
                        {"p99", Rounded(Quantile(total.latencies_ms, 990))},
                        {"max", Rounded(Quantile(total.latencies_ms, 1000))},
                        {"mean", Rounded(Mean(sum, answered))}};
  json["uncertainty"] = {{"kind", asked_.kind},
                         {"mean", JsonNumber(static_cast<float>(Mean(total.uncertainty_sum, answered)))}};
  json["mean_members"] = Rounded(Mean(static_cast<double>(total.members_sum), answered));
  json["escalation"] = asked_.escalation ? EscalationJson(total) : nlohmann::ordered_json();
  json["server"] = nullptr;
  if (server.has_value()) {
    json["server"] = {{"frames", server->frames},
                      {"answered", server->answered},
                      {"superseded", server->superseded},
                      {"late", server->late},
                      {"failed", server->failed},
                      {"mean_latency_ms", Rounded(server->mean_latency_ms)},
                      {"max_latency_ms", Rounded(server->max_latency_ms)}};
  }
  return json;
}

OrderedJson FrameJson(const PlayedFrame& frame, const SegmentedPicture* picture) {
  OrderedJson json = {{"camera", frame.camera_name},   {"sequence", frame.sequence},
                      {"image", frame.picture->name},  {"outcome", FrameFateName(frame.fate)},
                      {"due_s", Rounded(frame.due_s)}, {"latency_ms", Rounded(frame.latency_ms())}};
  if (const absl::Status* error = frame.answer.error(); error != nullptr) {
    const auto delay = RetryDelay(*error);
    json["error"] = {
        {"code", absl::StatusCodeToString(error->code())},
        {"message", std::string(error->message())},
        {"reason", ErrorReason(*error)},
        {"retry_delay_ms", delay.has_value() ? OrderedJson(absl::ToInt64Milliseconds(*delay)) : OrderedJson()}};
  }
  if (picture != nullptr) json["result"] = SummaryJson(*picture);
  return json;
}

}  // namespace candor
