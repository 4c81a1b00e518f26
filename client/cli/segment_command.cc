// SPDX-License-Identifier: Apache-2.0
//
// Sends each picture, writes its files, prints its figures.
#include "client/cli/segment_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/json_number.h"
#include "client/cli/kind_flag.h"
#include "client/cli/pictures.h"
#include "client/cli/segment_outputs.h"
#include "client/cli/table.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr char kHelp[] = R"(Examples:
  candor segment street.jpg
  candor segment --out results --npy *.jpg
  candor segment --out results --abstain-above 0.2 street.jpg
  candor segment --model student --escalate-above 0.05 --timeout 2 *.jpg
  candor segment --model teacher --uncertainty mutual_information --json street.jpg | jq .uncertainty.mean
  cat street.jpg | candor segment -

--out DIR gets for NAME.jpg: NAME_labels.png (8 bit, the class index), NAME_uncertainty.png (16 bit, value =
u / range_max * 65535), NAME_uncertainty.npy with --npy (float32), NAME_overlay.png and NAME.json.

--escalate: MODEL is who answered, and ESCALATION why: "not_needed" (the first was sure), "escalated", "no_time" (--timeout
or the queue did not allow the second), "second_failed". --anytime: MEMBERS tells how many of the model's took part.

--json and NAME.json hold one object: image, width, height, model {name, version, digest}, request_id, members,
predictions (members of a full answer), escalation (null without --escalate), uncertainty {kind, unit, range_max, mean,
max, median, p90, p99, threshold, share_above_threshold}, verdict ("accept", "review" or "reject" on the whole picture;
null if the model is not calibrated), classes [{index, name, share, mean_uncertainty}] (the mean is of the model's default
kind), groups [{name, share, mean_uncertainty}] (the model's groups of classes), abstained_share (null without
--abstain-above), timing {decode_ms, queue_ms, infer_ms, encode_ms, round_trip_ms}, files. A picture that fails has no
object; its reason is on stderr.

Exit codes: 0 all done; else that of the first picture that failed: 1 refused by the server, 2 usage, 69 server not
reached, 70 internal, 74 file not read or written, 75 overloaded, 130 interrupted.)";

std::string CheckThreshold(const std::string& text) {
  float value = 0;
  if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value >= 0) return "";
  return absl::StrCat("must be finite and >= 0, got ", text);
}

// Everything about one picture; its files are written if asked for.
absl::StatusOr<SegmentedPicture> SegmentPicture(const SegmentFlags& flags, const std::string& name,
                                                const AnsweringModels& models, SegmentationClient* client,
                                                std::istream& in) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadPicture(name, in));
  SegmentOptions options;
  options.model = flags.model;
  options.want_labels = !flags.out.empty();
  const std::string& kind = models.first().kind.name;
  options.uncertainty = {{kind, !flags.out.empty(), flags.threshold}};
  if (flags.abstain_above.has_value()) options.abstain = AbstainOption{kind, *flags.abstain_above, {}, 255};
  Apply(flags.effort, &options);
  ASSIGN_OR_RETURN(SegmentResult result, client->SegmentEncoded(bytes, options));
  const AnsweringModel& by = models.Of(result);
  SegmentedPicture picture{name, std::move(result), by.kind, by.model.classes, by.model.predictions, {}};
  if (!flags.out.empty()) RETURN_IF_ERROR(WriteOutputs(flags.out, flags.npy, bytes, &picture));
  return picture;
}

std::string Percent(float share) { return absl::StrFormat("%.1f%%", share * 100); }

void PrintTable(const std::vector<SegmentedPicture>& pictures, const EffortFlags& effort, std::ostream& out) {
  std::vector<std::string> header = {"IMAGE", "SIZE", "MODEL"};
  if (effort.anytime || effort.has_escalation()) header.emplace_back("MEMBERS");
  if (effort.has_escalation()) header.emplace_back("ESCALATION");
  for (const char* name :
       {"UNCERTAINTY", "MEAN", "MEDIAN", "P90", "P99", "MAX", "ABOVE", "THRESHOLD", "VERDICT", "MS", "CLASSES"}) {
    header.emplace_back(name);
  }
  Table table(header);
  for (const SegmentedPicture& picture : pictures) {
    const SegmentResult& result = picture.result;
    const UncertaintyFigures& figures = picture.uncertainty()->figures;
    std::vector<std::string> classes;
    for (size_t i = 0; i < std::min<size_t>(3, result.classes.size()); ++i) {
      classes.push_back(absl::StrCat(ClassName(picture.classes, result.classes[i].class_index), " ",
                                     Percent(result.classes[i].share)));
    }
    std::vector<std::string> row = {OneLine(picture.name), absl::StrCat(result.width, "x", result.height),
                                    OneLine(result.model)};
    if (effort.anytime || effort.has_escalation()) row.push_back(MembersText(result.members, picture.predictions));
    if (effort.has_escalation()) row.emplace_back(EscalationOutcomeName(result.escalation));
    row.push_back(figures.kind);
    for (const float value : {figures.mean, figures.median, figures.p90, figures.p99, figures.max}) {
      row.push_back(absl::StrFormat("%.4f", value));
    }
    row.push_back(Percent(figures.share_above_threshold));
    row.push_back(absl::StrFormat("%.4g", figures.threshold));
    row.emplace_back(result.verdict == Verdict::kNone ? "-" : VerdictName(result.verdict));
    row.push_back(absl::StrFormat("%.1f", result.round_trip_ms));
    row.push_back(OneLine(absl::StrJoin(classes, ", ")));
    table.AddRow(row);
  }
  table.Print(out);
}

// For a single picture: every class that occurs, every group, what has no label.
void PrintClasses(const SegmentedPicture& picture, std::ostream& out) {
  Table table({"CLASS", "SHARE", "MEAN UNCERTAINTY"});
  for (const ClassShare& share : picture.result.classes) {
    table.AddRow({OneLine(ClassName(picture.classes, share.class_index)), Percent(share.share),
                  absl::StrFormat("%.4f", share.mean_uncertainty)});
  }
  out << "\n";
  table.Print(out);
  if (!picture.result.groups.empty()) {
    Table groups({"GROUP", "SHARE", "MEAN UNCERTAINTY"});
    for (const GroupShare& group : picture.result.groups) {
      groups.AddRow({OneLine(group.name), Percent(group.share), absl::StrFormat("%.4f", group.mean_uncertainty)});
    }
    out << "\n";
    groups.Print(out);
  }
  if (picture.result.abstained_share.has_value()) {
    out << "\nno label: " << Percent(*picture.result.abstained_share) << " of the pixels\n";
  }
  if (!picture.files.empty()) out << "\nwrote " << OneLine(absl::StrJoin(picture.files, " ")) << "\n";
}

}  // namespace

CLI::App* AddSegmentCommand(CLI::App* app, SegmentFlags* flags) {
  CLI::App* command = app->add_subcommand("segment", "Label pictures, with an uncertainty for each pixel");
  command->add_option("IMAGE", flags->pictures, "JPEG or PNG files; - is standard input")->required();
  AddConnectionFlags(command, &flags->connection);
  command->add_option("--model", flags->model, "Name or alias of the model; default: the server's")->type_name("NAME");
  AddKindFlag(command, &flags->uncertainty);
  command->add_option("--threshold", flags->threshold, "Count the pixels above it; default: the server's")
      ->type_name("X")
      ->check(CLI::Validator(CheckThreshold, ""));
  command
      ->add_option("--abstain-above", flags->abstain_above,
                   "Give no label (255) to pixels whose uncertainty is above it; the figures stay")
      ->type_name("X")
      ->check(CLI::Validator(CheckThreshold, ""));
  AddEffortFlags(command, &flags->effort);
  CLI::Option* out = command->add_option("--out", flags->out, "Write files into this folder, made if missing");
  out->type_name("DIR");
  command->add_flag("--npy", flags->npy, "Write the uncertainty as NumPy file, too")->needs(out);
  command->add_flag("--json", flags->json, "One JSON object a picture on stdout, one a line");
  command->footer(kHelp);
  return command;
}

ExitCode RunSegment(const SegmentFlags& flags, const Console& console) {
  if (absl::Status usage = CheckPictures(flags.pictures, flags.out, OutputSuffixes(flags.npy)); !usage.ok()) {
    ReportError(console, usage.message());
    return ExitCode::kUsage;
  }
  const auto client = Connect(flags.connection);
  if (!client.ok()) return ReportStatus(console, flags.connection, "", client.status());
  const auto models = AnsweringModels::Find(flags.model, flags.uncertainty, flags.effort, client->get());
  if (!models.ok()) return ReportStatus(console, flags.connection, "", models.status());
  if (!flags.out.empty()) {
    if (absl::Status made = MakeDirectories(flags.out); !made.ok()) {
      return ReportStatus(console, flags.connection, "--out", made);
    }
  }

  ExitCode code = ExitCode::kOk;
  std::vector<SegmentedPicture> done;
  Progress progress(console, static_cast<int>(flags.pictures.size()));
  for (size_t i = 0; i < flags.pictures.size(); ++i) {
    const std::string& name = flags.pictures[i];
    progress.Show(static_cast<int>(i), name);
    absl::StatusOr<SegmentedPicture> picture = SegmentPicture(flags, name, *models, client->get(), console.in);
    if (!picture.ok()) {
      progress.Clear();
      const ExitCode failed = ReportStatus(console, flags.connection, name, picture.status());
      if (code == ExitCode::kOk) code = failed;
      continue;
    }
    if (flags.json) {
      progress.Clear();
      console.out << JsonLine(SummaryJson(*picture)) << "\n" << std::flush;
    } else {
      picture->result.labels.values = {};  // the table needs the figures alone; maps of many pictures would not fit
      for (UncertaintyResult& entry : picture->result.uncertainty) entry.map.values = {};
      done.push_back(*std::move(picture));
    }
  }
  progress.Clear();
  if (!done.empty()) PrintTable(done, flags.effort, console.out);
  if (done.size() == 1 && flags.pictures.size() == 1) PrintClasses(done[0], console.out);
  return code;
}

}  // namespace candor
