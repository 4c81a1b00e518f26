// SPDX-License-Identifier: Apache-2.0
//
// Reads the flags and the pictures, runs the load, reports.
#include "client/cli/bench_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/bench/load_run.h"
#include "client/cli/bench_report.h"
#include "client/cli/json_number.h"
#include "client/cli/kind_flag.h"
#include "client/cli/pictures.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/image/encode.h"

namespace candor {
namespace {

constexpr double kDefaultDurationSeconds = 10;
constexpr double kMaxSeconds = 86'400;
constexpr int kMaxSide = 16'384;

constexpr char kHelp[] = R"(Examples:
  candor bench --concurrency 4 --duration 30 street.jpg
  candor bench --rate 20 --arrival poisson --slo 200 --timeout 1 samples/
  candor bench --rate 200 --expect RESOURCE_EXHAUSTED --expect DEADLINE_EXCEEDED --json
  candor bench --concurrency 8 --check samples/
  candor bench --cameras 4 --rate 30 --policy latest samples/
  candor bench --rate 10 --model student --escalate-above 0.05 --timeout 1 samples/

Without --rate: a closed loop, in which each caller waits for its answer before it asks again. With --rate: calls are
due at given times whether or not the server keeps up, and latency counts from the time due, so that a stall is paid by
every call that it delays. Percentiles are of answers, exact, and "-" (null) unless at least 10 answers are above them:
p99.9 takes 10,000. Goodput is answers within --slo. With --cameras: each camera is a stream with --rate frames a second;
with --policy latest a frame that a newer one of its camera replaces is superseded, which is neither an answer nor an error.
A frame without an answer within --timeout of reaching the server is late: DEADLINE_EXCEEDED.

--check asks every picture alone first, and then compares every answer under load with that: labels must be equal on
99.99 % of the pixels, and the uncertainty of pixels with equal labels within --check-bound.

--json prints one object: load {mode, concurrency or rate, max_in_flight and seed, or rate, cameras and policy,
warmup_s}, model, pictures, seconds, requests, answers, superseded (of streams), errors {CODE: number}, throughput and
goodput (a second), objective_ms, latency_ms {p50, p90, p95, p99, p99.9, max, mean}, max_late_ms (how late a call was
sent, at most), server_median_ms {decode, queue, infer, encode}, uncertainty {kind, mean}, mean_members (in an answer),
escalations {not_needed, escalated, no_time, second_failed: answers} (with --escalate), check {compared, mismatches,
least_label_agreement, greatest_difference}.
--csv has a line for each call.

Exit codes: 0 every call was answered, or failed with an expected code; 1 other failures, or a mismatch; 2 usage,
69 server not reached, 74 file not read or written, 130 interrupted.)";

template <typename Number>
CLI::Validator InRange(Number least, Number most, const std::string& unit = "") {
  const auto check = [=](const std::string& text) -> std::string {
    Number value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return "";
    return absl::StrCat("must be in [", least, ", ", most, "]", unit, ", got ", text);
  };
  return {check, ""};
}

// {0, 0}: not WIDTHxHEIGHT, each in [1, kMaxSide].
std::pair<int, int> ParseSize(const std::string& text) {
  int width = 0;
  int height = 0;
  const size_t x = text.find('x');
  if (x == std::string::npos || !CLI::detail::lexical_cast(text.substr(0, x), width) ||
      !CLI::detail::lexical_cast(text.substr(x + 1), height) || width < 1 || height < 1 || width > kMaxSide ||
      height > kMaxSide) {
    return {0, 0};
  }
  return {width, height};
}

std::string CheckSize(const std::string& text) {
  if (ParseSize(text).first > 0) return "";
  return absl::StrCat("must be WIDTHxHEIGHT, each in [1, ", kMaxSide, "], got ", text);
}

// kOk: no name of an error.
absl::StatusCode ParseCode(const std::string& name) {
  for (int number = 1; number <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++number) {
    const auto code = static_cast<absl::StatusCode>(number);
    if (absl::StatusCodeToString(code) == name) return code;
  }
  return absl::StatusCode::kOk;
}

std::string CheckCode(const std::string& text) {
  if (ParseCode(text) != absl::StatusCode::kOk) return "";
  return absl::StrCat("must be a gRPC status code other than OK, such as RESOURCE_EXHAUSTED, got ", text);
}

LoadPlan MakePlan(const BenchFlags& flags) {
  LoadPlan plan;
  if (flags.rate > 0) plan.mode = flags.arrival == Arrival::kPoisson ? LoadMode::kPoisson : LoadMode::kConstant;
  if (flags.cameras > 0) plan.mode = LoadMode::kStreams;
  plan.cameras = std::max(1, flags.cameras);
  plan.latest = flags.latest;
  plan.concurrency = flags.concurrency;
  plan.rate = flags.rate;
  plan.max_in_flight = flags.max_in_flight;
  plan.warmup_s = flags.warmup_s;
  plan.duration_s = flags.duration_s == 0 && flags.requests == 0 ? kDefaultDurationSeconds : flags.duration_s;
  plan.requests = flags.requests;
  plan.seed = flags.seed;
  return plan;
}

SegmentOptions MakeOptions(const BenchFlags& flags, const std::string& kind) {
  SegmentOptions options;
  options.model = flags.model;
  options.want_labels = flags.asked == Asked::kBoth || flags.asked == Asked::kLabels;
  options.uncertainty = {{kind, flags.asked == Asked::kBoth || flags.asked == Asked::kUncertainty, std::nullopt}};
  if (flags.halves) options.map_transfer = MapTransfer::kHalves;
  Apply(flags.effort, &options);
  return options;
}

absl::StatusOr<std::vector<LoadPicture>> ReadPictures(const BenchFlags& flags, std::istream& in) {
  std::vector<LoadPicture> pictures;
  if (flags.pictures.empty()) {
    const auto [width, height] = ParseSize(flags.size);
    const std::string name = absl::StrCat("generated ", width, "x", height);
    Image image = GeneratedImage(width, height);
    if (flags.raw) return std::vector<LoadPicture>{{name, "", std::move(image)}};
    return std::vector<LoadPicture>{{name, EncodeJpeg(image, 90), {}}};
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ExpandFolders(flags.pictures));
  RETURN_IF_ERROR(CheckPictures(names, "", {}));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(std::string bytes, ReadPicture(name, in));
    LoadPicture picture{name, std::move(bytes), {}};
    if (flags.raw) {
      absl::StatusOr<LoadPicture> raw = AsRaw(picture);
      if (!raw.ok()) return absl::DataLossError(absl::StrCat(name, ": ", raw.status().message()));
      picture = *std::move(raw);
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

// The answer to each picture alone, one after the other.
absl::StatusOr<std::vector<SegmentResult>> AskAlone(const LoadTarget& target) {
  std::vector<SegmentResult> answers;
  for (const LoadPicture& picture : target.pictures) {
    auto answer = SegmentPicture(picture, target.options, target.client);
    if (!answer.ok()) {
      return absl::Status(answer.status().code(), absl::StrCat(picture.name, ": ", answer.status().message()));
    }
    answers.push_back(*std::move(answer));
  }
  return answers;
}

LoadOutcome RunWithProgress(const LoadPlan& plan, const LoadTarget& target, const Console& console) {
  constexpr int kSteps = 100;
  Progress bar(console, kSteps);
  return RunLoad(plan, target, [&](const LoadProgress& now) {
    const double by_time = plan.duration_s > 0 ? now.elapsed_s / plan.duration_s : 0;
    const double by_count = plan.requests > 0 ? static_cast<double>(now.ended) / static_cast<double>(plan.requests) : 0;
    const double share = std::clamp(std::max(by_time, by_count), 0.0, 1.0);
    bar.Show(static_cast<int>(share * kSteps),
             now.elapsed_s < 0 ? "warm-up" : absl::StrFormat("%% %d calls, %d errors", now.ended, now.errors));
  });
}

// What ends the program with a failure, told on `console`.
ExitCode Judge(const BenchFlags& flags, const LoadOutcome& outcome, const BenchReport& report, const Console& console) {
  ExitCode code = ExitCode::kOk;
  for (const auto& [status, count] : report.summary.errors) {
    const bool is_expected =
        std::any_of(flags.expected.begin(), flags.expected.end(),
                    [status = status](const std::string& name) { return ParseCode(name) == status; });
    if (is_expected) continue;
    ReportError(console, absl::StrCat(count, " of ", report.summary.requests, " calls failed with ",
                                      absl::StatusCodeToString(status), ": ", outcome.first_messages.at(status)));
    code = ExitCode::kFailure;
  }
  if (report.check.has_value() && report.check->mismatches > 0) {
    ReportError(console, absl::StrCat(report.check->mismatches, " of ", report.check->compared,
                                      " answers are not as alone; ", report.check->first_mismatch));
    code = ExitCode::kFailure;
  }
  if (report.summary.requests == 0) {
    ReportError(console, "no call was due in the time of the load: --duration or --rate is too small");
    code = ExitCode::kFailure;
  }
  return code;
}

ExitCode RunAndReport(const BenchFlags& flags, LoadTarget* target, BenchReport* report, const Console& console) {
  for (const LoadPicture& picture : target->pictures) report->pictures.push_back(picture.name);
  std::unique_ptr<AnswerCheck> check;
  if (flags.check) {
    auto alone = AskAlone(*target);
    if (!alone.ok()) return ReportStatus(console, flags.connection, "--check", alone.status());
    check = std::make_unique<AnswerCheck>(*std::move(alone), report->pictures, flags.check_bound);
    target->check = check.get();
  }
  const LoadOutcome outcome = RunWithProgress(report->plan, *target, console);
  report->summary = Summarize(outcome.samples, report->objective_ms, report->plan.duration_s);
  if (check != nullptr) report->check = check->figures();
  if (flags.json) {
    console.out << JsonLine(BenchJson(*report)) << "\n";
  } else {
    PrintBenchReport(*report, console.out);
  }
  const ExitCode code = Judge(flags, outcome, *report, console);
  if (!flags.csv.empty()) {
    const absl::Status written = WriteFileAtomically(flags.csv, BenchCsv(outcome.samples, report->pictures));
    if (!written.ok()) return ReportStatus(console, flags.connection, "--csv", written);
  }
  return code;
}

void AddLoadFlags(CLI::App* command, BenchFlags* flags) {
  CLI::Option* concurrency = command->add_option("--concurrency", flags->concurrency, "Callers of the closed loop");
  concurrency->type_name("N")->check(InRange(1, 1024))->capture_default_str();
  CLI::Option* rate = command->add_option("--rate", flags->rate, "Open loop: calls a second");
  rate->type_name("R")->check(InRange(0.001, 1e5))->excludes(concurrency);
  CLI::Option* cameras = command->add_option("--cameras", flags->cameras, "Streams, each with --rate frames a second");
  cameras->type_name("N")->needs(rate)->check(InRange(1, 256));
  command->add_option("--policy", flags->latest, "Of streams: every or latest frame; default: every")
      ->type_name("HOW")
      ->needs(cameras)
      ->transform(CLI::CheckedTransformer(std::map<std::string, bool>{{"every", false}, {"latest", true}}));
  command->add_option("--arrival", flags->arrival, "Open loop: poisson or constant; default: poisson")
      ->type_name("HOW")
      ->excludes(cameras)
      ->needs(rate)
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Arrival>{{"poisson", Arrival::kPoisson}, {"constant", Arrival::kConstant}}));
  command
      ->add_option("--max-in-flight", flags->max_in_flight, "Open loop: calls under way at most; others are sent late")
      ->type_name("N")
      ->needs(rate)
      ->excludes(cameras)
      ->check(InRange(1, 100'000))
      ->capture_default_str();
  command->add_option("--seed", flags->seed, "Of the Poisson arrivals")->type_name("N")->capture_default_str();
  command->add_option("--duration", flags->duration_s, "How long calls are sent; default: 10, without --requests")
      ->type_name("SECONDS")
      ->check(InRange(0.01, kMaxSeconds));
  command->add_option("--requests", flags->requests, "How many calls, at most")
      ->type_name("N")
      ->check(InRange<int64_t>(1, LoadRecorder::kMaxSamples));
  command->add_option("--warmup", flags->warmup_s, "The same load before, not counted")
      ->type_name("SECONDS")
      ->check(InRange(0.0, kMaxSeconds))
      ->capture_default_str();
}

void AddContentFlags(CLI::App* command, BenchFlags* flags) {
  CLI::Option* pictures =
      command->add_option("IMAGE", flags->pictures,
                          "JPEG or PNG files, or folders of them (without NAME_truth.png); default: a generated one");
  command->add_option("--size", flags->size, "Of the generated picture")
      ->type_name("WIDTHxHEIGHT")
      ->check(CLI::Validator(CheckSize, ""))
      ->excludes(pictures)
      ->capture_default_str();
  command->add_flag("--raw", flags->raw, "Send RGB pixels instead of the files");
  command->add_option("--ask", flags->asked, "For both, labels, uncertainty (maps) or statistics; default: both")
      ->type_name("WHAT")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Asked>{{"both", Asked::kBoth},
                                                                       {"labels", Asked::kLabels},
                                                                       {"uncertainty", Asked::kUncertainty},
                                                                       {"statistics", Asked::kStatistics}}));
  command->add_flag("--halves", flags->halves, "Ask for maps as float16 instead of float32");
  command->add_option("--model", flags->model, "Name or alias of the model; default: the server's")->type_name("NAME");
  AddKindFlag(command, &flags->uncertainty);
  AddEffortFlags(command, &flags->effort);
}

}  // namespace

CLI::App* AddBenchCommand(CLI::App* app, BenchFlags* flags) {
  CLI::App* command = app->add_subcommand("bench", "Put a load on the server and measure it");
  AddConnectionFlags(command, &flags->connection);
  command->add_option("--connections", flags->connections, "TCP connections, used in turn")
      ->type_name("N")
      ->check(InRange(1, 64))
      ->capture_default_str();
  AddLoadFlags(command, flags);
  AddContentFlags(command, flags);
  command->add_option("--slo", flags->objective_ms, "An answer within it counts as good; default: --timeout")
      ->type_name("MS")
      ->check(InRange(0.001, kMaxSeconds * 1e3));
  command->add_option("--expect", flags->expected, "A status code that is no failure; may be repeated")
      ->type_name("CODE")
      ->allow_extra_args(false)
      ->check(CLI::Validator(CheckCode, ""));
  CLI::Option* check =
      command->add_flag("--check", flags->check, "Compare every answer with that to the picture alone");
  command->add_option("--check-bound", flags->check_bound, "Greatest difference of uncertainty, in the kind's unit")
      ->type_name("X")
      ->needs(check)
      ->check(InRange(0.0, 1e3))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "A JSON object on stdout");
  command->add_option("--csv", flags->csv, "Write a line for each call into this file")->type_name("FILE");
  command->footer(kHelp);
  return command;
}

ExitCode RunBench(const BenchFlags& flags, const Console& console) {
  if (flags.check && (flags.effort.anytime || flags.effort.has_escalation())) {
    ReportError(console, "--check: excludes --anytime and --escalate, whose answers depend on the load");
    return ExitCode::kUsage;
  }
  LoadTarget target;
  absl::StatusOr<std::vector<LoadPicture>> pictures = ReadPictures(flags, console.in);
  if (!pictures.ok()) return ReportStatus(console, flags.connection, "", pictures.status());
  target.pictures = *std::move(pictures);
  const auto client = Connect(flags.connection, flags.connections);
  if (!client.ok()) return ReportStatus(console, flags.connection, "", client.status());
  target.client = client->get();
  const auto models = AnsweringModels::Find(flags.model, flags.uncertainty, flags.effort, target.client);
  if (!models.ok()) return ReportStatus(console, flags.connection, "", models.status());
  const auto& [model, kind] = models->first();
  target.options = MakeOptions(flags, kind.name);
  BenchReport report;
  report.plan = MakePlan(flags);
  report.model = model.name;
  report.kind = kind.name;
  report.is_anytime = flags.effort.anytime;
  report.objective_ms = flags.objective_ms > 0 ? flags.objective_ms : flags.connection.timeout_s * 1e3;
  return RunAndReport(flags, &target, &report, console);
}

}  // namespace candor
