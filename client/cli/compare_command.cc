// SPDX-License-Identifier: Apache-2.0
//
// Sends each picture to both models and reports the difference.
#include "client/cli/compare_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/compare_picture.h"
#include "client/cli/comparison_report.h"
#include "client/cli/json_number.h"
#include "client/cli/kind_flag.h"
#include "client/cli/pictures.h"
#include "client/cli/segment_outputs.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/image/encode.h"

namespace candor {
namespace {

constexpr char kSuffix[] = "_compare.png";

constexpr char kHelp[] = R"(Examples:
  candor compare street.jpg
  candor compare --student compact --teacher teacher --out compared --json *.jpg

--out DIR gets NAME_compare.png for each picture: picture, student's classes, teacher's classes; below, student's
uncertainty, teacher's uncertainty on the same scale (0 to the larger of their 99th percentiles), red where labels differ.

--json prints one object a picture, then one with "overall": true: image, width, height, pictures, pixels, uncertainty
{kind, unit}, label_agreement (0 to 1), mean_absolute_difference, pearson, spearman (per pixel, ties averaged; null if a
map does not vary), student and teacher {model, mean_uncertainty, round_trip_ms, infer_ms, verdict}, speed_ratio
{round_trip, infer} (teacher's time / student's), files. Overall counts every pixel once, but spearman is the pictures'
mean and times are medians; it has no verdict. A server is slower at the first picture of a size.

Exit codes: as `candor segment`; 1 if the two models do not have the same classes.)";

struct Models {
  ModelDescription student;
  ModelDescription teacher;
  ComparedModels names;
};

// FailedPrecondition: labels or uncertainty of the two mean different things.
absl::StatusOr<Models> FindModels(const CompareFlags& flags, SegmentationClient* client) {
  Models models;
  ASSIGN_OR_RETURN(models.student, client->GetModel(flags.student));
  ASSIGN_OR_RETURN(models.teacher, client->GetModel(flags.teacher));
  const auto same_name = [](const ClassDescription& a, const ClassDescription& b) { return a.name == b.name; };
  const auto& student_classes = models.student.classes;
  const auto& teacher_classes = models.teacher.classes;
  if (!std::equal(student_classes.begin(), student_classes.end(), teacher_classes.begin(), teacher_classes.end(),
                  same_name)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "labels cannot be compared: ", models.student.name, " (", student_classes.size(), " classes) and ",
        models.teacher.name, " (", teacher_classes.size(), " classes) must have the same classes in the same order"));
  }
  ASSIGN_OR_RETURN(models.names.kind, FindKind(models.student, flags.uncertainty));
  RETURN_IF_ERROR(FindKind(models.teacher, models.names.kind.name).status());
  models.names.student = models.student.name;
  models.names.teacher = models.teacher.name;
  return models;
}

const UncertaintyResult& Entry(const SegmentResult& result, const std::string& kind) {
  return *std::find_if(result.uncertainty.begin(), result.uncertainty.end(),
                       [&](const UncertaintyResult& entry) { return entry.figures.kind == kind; });
}

absl::StatusOr<Comparison> ComparePicture(const CompareFlags& flags, const std::string& name, const Models& models,
                                          SegmentationClient* client, std::istream& in) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadPicture(name, in));
  const std::string& kind = models.names.kind.name;
  SegmentOptions options;
  options.uncertainty = {{kind, true, std::nullopt}};
  options.model = flags.student;
  ASSIGN_OR_RETURN(const SegmentResult student, client->SegmentEncoded(bytes, options));
  options.model = flags.teacher;
  ASSIGN_OR_RETURN(const SegmentResult teacher, client->SegmentEncoded(bytes, options));
  ASSIGN_OR_RETURN(Comparison comparison, CompareAnswers(student, teacher, kind));
  comparison.picture = name;
  if (!flags.out.empty()) {
    ASSIGN_OR_RETURN(const Image image, DecodeForOverlay(bytes, student.width, student.height));
    const UncertaintyResult& student_entry = Entry(student, kind);
    const UncertaintyResult& teacher_entry = Entry(teacher, kind);
    const float heat_max = std::max({student_entry.figures.p99, teacher_entry.figures.p99, 1e-6F});
    const Image drawn = DrawComparison(image, {student.labels, student_entry.map}, {teacher.labels, teacher_entry.map},
                                       ClassColours(models.student.classes), heat_max);
    comparison.files = {OutputPath(flags.out, OutputStem(name), kSuffix)};
    RETURN_IF_ERROR(WriteFileAtomically(comparison.files[0], EncodeRgbPng(drawn)));
  }
  return comparison;
}

// The exit code of the first picture that failed.
ExitCode ComparePictures(const CompareFlags& flags, const Models& models, SegmentationClient* client,
                         const Console& console) {
  ExitCode code = ExitCode::kOk;
  std::vector<Comparison> done;
  Progress progress(console, static_cast<int>(flags.pictures.size()));
  for (const std::string& name : flags.pictures) {
    progress.Show(static_cast<int>(&name - flags.pictures.data()), name);
    absl::StatusOr<Comparison> comparison = ComparePicture(flags, name, models, client, console.in);
    if (!comparison.ok()) {
      progress.Clear();
      const ExitCode failed = ReportStatus(console, flags.connection, name, comparison.status());
      if (code == ExitCode::kOk) code = failed;
      continue;
    }
    if (flags.json) {
      progress.Clear();
      console.out << JsonLine(ComparisonJson(*comparison, models.names)) << "\n" << std::flush;
    }
    done.push_back(*std::move(comparison));
  }
  progress.Clear();
  if (done.empty()) return code;
  if (flags.json) {
    console.out << JsonLine(ComparisonJson(Overall(done), models.names)) << "\n";
  } else {
    PrintComparisons(done, models.names, console.out);
  }
  return code;
}

}  // namespace

CLI::App* AddCompareCommand(CLI::App* app, CompareFlags* flags) {
  CLI::App* command = app->add_subcommand("compare", "Compare the student's answers with the teacher's");
  command->add_option("IMAGE", flags->pictures, "JPEG or PNG files; - is standard input")->required();
  AddConnectionFlags(command, &flags->connection);
  command->add_option("--student", flags->student, "Name or alias")->type_name("NAME")->capture_default_str();
  command->add_option("--teacher", flags->teacher, "Name or alias")->type_name("NAME")->capture_default_str();
  AddKindFlag(command, &flags->uncertainty);
  command->add_option("--out", flags->out, "Write pictures into this folder, made if missing")->type_name("DIR");
  command->add_flag("--json", flags->json, "JSON objects on stdout, one a line");
  command->footer(kHelp);
  return command;
}

ExitCode RunCompare(const CompareFlags& flags, const Console& console) {
  if (absl::Status usage = CheckPictures(flags.pictures, flags.out, {kSuffix}); !usage.ok()) {
    ReportError(console, usage.message());
    return ExitCode::kUsage;
  }
  const auto client = Connect(flags.connection);
  if (!client.ok()) return ReportStatus(console, flags.connection, "", client.status());
  const absl::StatusOr<Models> models = FindModels(flags, client->get());
  if (!models.ok()) return ReportStatus(console, flags.connection, "", models.status());
  if (!flags.out.empty()) {
    if (absl::Status made = MakeDirectories(flags.out); !made.ok()) {
      return ReportStatus(console, flags.connection, "--out", made);
    }
  }
  return ComparePictures(flags, *models, client->get(), console);
}

}  // namespace candor
