// SPDX-License-Identifier: Apache-2.0
#include "client/demo/demo_run.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/cli/comparison_statistics.h"
#include "client/cli/pictures.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/image/decode.h"

namespace candor {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{64} << 20;

absl::Status WithPath(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

bool HasSize(int width, int height, const DemoPicture& picture) {
  return width == picture.input.width && height == picture.input.height;
}

absl::StatusOr<ByteMap> ReadTruth(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
  auto truth = DecodeLabelPng(bytes, DecodeLimits());
  if (!truth.ok()) return WithPath(path, truth.status());
  return truth;
}

// One warm-up call, then the timed ones; the maps are those of the last.
absl::StatusOr<DemoAnswer> Ask(SegmentationClient* client, const std::string& bytes, const std::string& model,
                               const std::string& kind, int calls) {
  SegmentOptions options;
  options.model = model;
  options.uncertainty = {UncertaintyOption{kind, true, std::nullopt}};
  RETURN_IF_ERROR(client->SegmentEncoded(bytes, options).status());
  std::vector<double> round_trips;
  std::vector<double> infers;
  SegmentResult result;
  for (int call = 0; call < calls; ++call) {
    ASSIGN_OR_RETURN(result, client->SegmentEncoded(bytes, options));
    round_trips.push_back(result.round_trip_ms);
    infers.push_back(result.server_times.infer_ms);
  }
  for (UncertaintyResult& uncertainty : result.uncertainty) {
    if (uncertainty.figures.kind != kind || uncertainty.map.values.empty()) continue;
    DemoAnswer answer;
    answer.labels = std::move(result.labels);
    answer.uncertainty = std::move(uncertainty.map);
    answer.mean_uncertainty = uncertainty.figures.mean;
    answer.round_trip_ms = Median(std::move(round_trips));
    answer.infer_ms = Median(std::move(infers));
    return answer;
  }
  return absl::InternalError(absl::StrCat(model, ": no map of ", kind, " in the answer"));
}

absl::StatusOr<DemoPicture> SegmentSample(SegmentationClient* client, const DemoSample& sample, const std::string& kind,
                                          int calls) {
  DemoPicture picture;
  picture.name = sample.name;
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(sample.picture, kMaxFileBytes));
  auto input = DecodeImage(bytes, DecodeLimits());
  if (!input.ok()) return WithPath(sample.picture, input.status());
  picture.input = *std::move(input);
  if (!sample.truth.empty()) {
    ASSIGN_OR_RETURN(picture.truth, ReadTruth(sample.truth));
    if (!HasSize(picture.truth->width, picture.truth->height, picture)) {
      return absl::InvalidArgumentError(absl::StrCat(sample.truth, ": must be of its picture's size, ",
                                                     picture.input.width, "x", picture.input.height, ", got ",
                                                     picture.truth->width, "x", picture.truth->height));
    }
  }
  for (const auto& [model, answer] :
       {std::pair("student", &DemoPicture::student), {"teacher", &DemoPicture::teacher}}) {
    auto asked = Ask(client, bytes, model, kind, calls);
    if (!asked.ok()) return WithPath(sample.picture, asked.status());
    if (!HasSize(asked->labels.width, asked->labels.height, picture) ||
        !HasSize(asked->uncertainty.width, asked->uncertainty.height, picture)) {
      return absl::InternalError(absl::StrCat(sample.picture, ": ", model, " answered in another size, ",
                                              asked->labels.width, "x", asked->labels.height));
    }
    picture.*answer = *std::move(asked);
  }
  return picture;
}

// Fills all of the report but the pictures.
absl::Status DescribeModels(SegmentationClient* client, DemoReport* report) {
  ASSIGN_OR_RETURN(report->student, client->GetModel("student"));
  ASSIGN_OR_RETURN(report->teacher, client->GetModel("teacher"));
  report->classes = report->student.classes;
  const auto same_name = [](const ClassDescription& a, const ClassDescription& b) { return a.name == b.name; };
  if (!std::equal(report->classes.begin(), report->classes.end(), report->teacher.classes.begin(),
                  report->teacher.classes.end(), same_name)) {
    return absl::FailedPreconditionError(absl::StrCat(report->student.name, " and ", report->teacher.name,
                                                      ": must have the same classes to be compared"));
  }
  if (report->student.uncertainty.empty()) {
    return absl::InternalError(absl::StrCat(report->student.name, ": lists no uncertainty kind"));
  }
  report->kind = report->student.uncertainty.front();
  for (const KindDescription& kind : report->teacher.uncertainty) {
    if (kind.name == report->kind.name) return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(report->teacher.name, ": has no ", report->kind.name, ", the default of ", report->student.name));
}

}  // namespace

absl::StatusOr<std::vector<DemoSample>> FindSamples(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<DemoSample> samples;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (!IsPictureName(path.string())) continue;
    const std::string name = path.stem().string();
    const fs::path truth = path.parent_path() / absl::StrCat(name, kTruthSuffix, ".png");
    std::error_code missing;
    samples.push_back({name, path.string(), fs::exists(truth, missing) ? truth.string() : std::string()});
  }
  if (error) return absl::NotFoundError(absl::StrCat(directory, ": ", error.message()));
  if (samples.empty()) return absl::NotFoundError(absl::StrCat(directory, ": no .jpg or .png picture in it"));
  std::sort(samples.begin(), samples.end(), [](const DemoSample& a, const DemoSample& b) { return a.name < b.name; });
  const auto twins = std::adjacent_find(samples.begin(), samples.end(),
                                        [](const DemoSample& a, const DemoSample& b) { return a.name == b.name; });
  if (twins != samples.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(twins->picture, ": has the name of ", std::next(twins)->picture, "; names must differ"));
  }
  return samples;
}

absl::StatusOr<DemoReport> RunDemo(SegmentationClient* client, const DemoOptions& options,
                                   const DemoProgress& progress) {
  ASSIGN_OR_RETURN(const std::vector<DemoSample> samples, FindSamples(options.samples));
  DemoReport report;
  report.calls = options.calls;
  RETURN_IF_ERROR(DescribeModels(client, &report));
  auto credit = ReadFile(options.samples + "/CREDIT.txt", kMaxFileBytes);
  if (credit.ok()) {
    report.credit = std::string(absl::StripAsciiWhitespace(*credit));
  } else if (!absl::IsNotFound(credit.status())) {
    return credit.status();
  }
  const int count = static_cast<int>(samples.size());
  for (int i = 0; i < count; ++i) {
    progress(i, count, samples[i].name);
    ASSIGN_OR_RETURN(DemoPicture picture, SegmentSample(client, samples[i], report.kind.name, options.calls));
    report.pictures.push_back(std::move(picture));
  }
  return report;
}

}  // namespace candor
