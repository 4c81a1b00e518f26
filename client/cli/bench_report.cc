// SPDX-License-Identifier: Apache-2.0
//
// The figures of a load as tables, as JSON and, call by call, as CSV.
#include "client/cli/bench_report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/console.h"
#include "client/cli/json_number.h"
#include "client/cli/table.h"

namespace candor {
namespace {

using Json = nlohmann::ordered_json;

// A timer of a busy machine wakes this much late without anything being wrong.
constexpr double kNotableLatenessMs = 20;

const char* ModeName(LoadMode mode) {
  switch (mode) {
    case LoadMode::kClosed:
      return "closed";
    case LoadMode::kPoisson:
      return "poisson";
    case LoadMode::kConstant:
      return "constant";
    case LoadMode::kStreams:
      return "streams";
  }
  return "unknown";
}

const char* Policy(const LoadPlan& plan) { return plan.latest ? "latest" : "every"; }

std::string Load(const LoadPlan& plan) {
  if (plan.mode == LoadMode::kClosed) return absl::StrFormat("closed loop, concurrency %d", plan.concurrency);
  if (plan.mode == LoadMode::kStreams) {
    return absl::StrFormat("%d cameras, %g a second each, %s frame", plan.cameras, plan.rate, Policy(plan));
  }
  return absl::StrFormat("%s, %g a second", ModeName(plan.mode), plan.rate);
}

// 500 is "p50", 999 is "p99.9".
std::string PercentileName(int permille) { return absl::StrCat("p", permille / 10.0); }

std::string Ms(double ms) { return absl::StrFormat("%.2f", ms); }

// Microseconds are more than a clock across a network can tell.
double Rounded(double value) { return std::round(value * 1e3) / 1e3; }

void PrintLatency(const LoadSummary& summary, std::ostream& out) {
  std::vector<std::string> header = {"LATENCY MS"};
  std::vector<std::string> row = {"from the time due"};
  std::vector<std::string> missing;
  for (const Percentile& percentile : summary.latency) {
    header.push_back(absl::StrCat("P", percentile.permille / 10.0));
    row.push_back(percentile.ms.has_value() ? Ms(*percentile.ms) : "-");
    if (!percentile.ms.has_value()) {
      missing.push_back(absl::StrCat(PercentileName(percentile.permille), " needs ", percentile.needs));
    }
  }
  header.insert(header.end(), {"MAX", "MEAN"});
  row.insert(row.end(), {Ms(summary.max_ms), Ms(summary.mean_ms)});
  Table latency(header);
  latency.AddRow(row);
  latency.Print(out);
  if (!missing.empty()) {
    out << "too few answers (" << summary.answers << "): " << absl::StrJoin(missing, ", ") << "\n";
  }
}

std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

void PrintBenchReport(const BenchReport& report, std::ostream& out) {
  const LoadSummary& summary = report.summary;
  Table load({"LOAD", "MODEL", "SECONDS", "REQUESTS", "ANSWERS", "ERRORS", "PER SECOND",
              absl::StrFormat("WITHIN %g MS PER SECOND", report.objective_ms)});
  load.AddRow({Load(report.plan), OneLine(report.model), absl::StrFormat("%.2f", summary.elapsed_s),
               absl::StrCat(summary.requests), absl::StrCat(summary.answers),
               absl::StrCat(summary.requests - summary.answers - summary.superseded),
               absl::StrFormat("%.2f", summary.throughput), absl::StrFormat("%.2f", summary.goodput)});
  load.Print(out);
  if (report.plan.mode == LoadMode::kStreams) {
    out << "superseded by a newer frame: " << summary.superseded << "\n";
  }
  out << "\n";
  PrintLatency(summary, out);
  if (summary.max_late_ms > kNotableLatenessMs) {
    out << "calls were sent up to " << Ms(summary.max_late_ms) << " ms after they were due: this machine or "
        << "--max-in-flight was the limit\n";
  }
  out << "\n";
  const StageTimes& server = summary.server_median;
  Table stages({"SERVER MS", "DECODE", "QUEUE", "INFER", "ENCODE", "MEAN UNCERTAINTY"});
  stages.AddRow({"median", Ms(server.decode_ms), Ms(server.queue_ms), Ms(server.infer_ms), Ms(server.encode_ms),
                 absl::StrFormat("%.4f", summary.mean_uncertainty)});
  stages.Print(out);
  if (report.is_anytime || !summary.escalations.empty()) {
    out << "\nmembers in an answer, on average: " << absl::StrFormat("%.2f", summary.mean_members) << "\n";
  }
  if (!summary.escalations.empty()) {
    out << "\n";
    Table escalations({"ESCALATION", "ANSWERS"});
    for (const auto& [outcome, count] : summary.escalations) {
      escalations.AddRow({std::string(EscalationOutcomeName(outcome)), absl::StrCat(count)});
    }
    escalations.Print(out);
  }
  if (!summary.errors.empty()) {
    out << "\n";
    Table errors({"ERROR", "REQUESTS"});
    for (const auto& [code, count] : summary.errors) {
      errors.AddRow({absl::StatusCodeToString(code), absl::StrCat(count)});
    }
    errors.Print(out);
  }
  if (report.check.has_value()) {
    out << "\n";
    Table check({"CHECKED", "MISMATCHES", "LEAST LABEL AGREEMENT", "GREATEST DIFFERENCE OF UNCERTAINTY"});
    check.AddRow({absl::StrCat(report.check->compared), absl::StrCat(report.check->mismatches),
                  absl::StrFormat("%.4f%%", report.check->least_label_agreement * 100),
                  absl::StrFormat("%.3g", report.check->greatest_difference)});
    check.Print(out);
  }
}

Json BenchJson(const BenchReport& report) {
  const LoadSummary& summary = report.summary;
  const LoadPlan& plan = report.plan;
  Json json = Json::object();
  json["load"] = {{"mode", ModeName(plan.mode)}};
  if (plan.mode == LoadMode::kClosed) {
    json["load"]["concurrency"] = plan.concurrency;
  } else if (plan.mode == LoadMode::kStreams) {
    json["load"]["rate"] = plan.rate;
    json["load"]["cameras"] = plan.cameras;
    json["load"]["policy"] = Policy(plan);
  } else {
    json["load"]["rate"] = plan.rate;
    json["load"]["max_in_flight"] = plan.max_in_flight;
    json["load"]["seed"] = plan.seed;
  }
  json["load"]["warmup_s"] = plan.warmup_s;
  json["model"] = report.model;
  json["pictures"] = report.pictures;
  json["seconds"] = Rounded(summary.elapsed_s);
  json["requests"] = summary.requests;
  json["answers"] = summary.answers;
  if (plan.mode == LoadMode::kStreams) json["superseded"] = summary.superseded;
  json["errors"] = Json::object();
  for (const auto& [code, count] : summary.errors) json["errors"][absl::StatusCodeToString(code)] = count;
  json["throughput"] = Rounded(summary.throughput);
  json["objective_ms"] = report.objective_ms;
  json["goodput"] = Rounded(summary.goodput);
  Json latency = Json::object();
  for (const Percentile& percentile : summary.latency) {
    latency[PercentileName(percentile.permille)] =
        percentile.ms.has_value() ? Json(Rounded(*percentile.ms)) : Json(nullptr);
  }
  latency["max"] = Rounded(summary.max_ms);
  latency["mean"] = Rounded(summary.mean_ms);
  json["latency_ms"] = latency;
  json["max_late_ms"] = Rounded(summary.max_late_ms);
  const StageTimes& server = summary.server_median;
  json["server_median_ms"] = {{"decode", JsonNumber(server.decode_ms)},
                              {"queue", JsonNumber(server.queue_ms)},
                              {"infer", JsonNumber(server.infer_ms)},
                              {"encode", JsonNumber(server.encode_ms)}};
  json["uncertainty"] = {{"kind", report.kind}, {"mean", JsonNumber(static_cast<float>(summary.mean_uncertainty))}};
  json["mean_members"] = Rounded(summary.mean_members);
  if (!summary.escalations.empty()) {
    json["escalations"] = Json::object();
    for (const auto& [outcome, count] : summary.escalations) {
      json["escalations"][std::string(EscalationOutcomeName(outcome))] = count;
    }
  }
  if (report.check.has_value()) {
    json["check"] = {{"compared", report.check->compared},
                     {"mismatches", report.check->mismatches},
                     {"least_label_agreement", report.check->least_label_agreement},
                     {"greatest_difference", report.check->greatest_difference}};
  }
  return json;
}

std::string BenchCsv(const std::vector<LoadSample>& samples, const std::vector<std::string>& pictures) {
  std::string csv =
      "due_s,sent_s,done_s,latency_ms,status,picture,round_trip_ms,decode_ms,queue_ms,infer_ms,encode_ms,"
      "mean_uncertainty,members,escalation\n";
  for (const LoadSample& sample : samples) {
    absl::StrAppendFormat(&csv, "%.6f,%.6f,%.6f,%.3f,%s,%s,", sample.due_s, sample.sent_s, sample.done_s,
                          sample.latency_ms(),
                          sample.is_superseded ? "SUPERSEDED" : absl::StatusCodeToString(sample.code),
                          CsvCell(pictures[static_cast<size_t>(sample.picture)]));
    if (sample.code == absl::StatusCode::kOk && !sample.is_superseded) {
      const StageTimes& server = sample.server_times;
      absl::StrAppendFormat(&csv, "%.3f,%g,%g,%g,%g,%g,%d,%s\n", sample.round_trip_ms, server.decode_ms,
                            server.queue_ms, server.infer_ms, server.encode_ms, sample.mean_uncertainty, sample.members,
                            EscalationOutcomeName(sample.escalation));
    } else {
      csv += ",,,,,,,\n";
    }
  }
  return csv;
}

}  // namespace candor
