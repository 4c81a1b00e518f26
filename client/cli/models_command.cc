// SPDX-License-Identifier: Apache-2.0
//
// The list of models as table or JSON.
#include "client/cli/models_command.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/json_number.h"
#include "client/cli/table.h"

namespace candor {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kHelp[] = R"(Examples:
  candor models
  candor models --json | jq '.models[].uncertainty'

The table marks the server's default model with *. --json prints one object: default_model, models [{name, version,
digest, kind, aliases, members, damaged_members (that the server could not read and does without), predictions,
sampling ("mc_dropout" or "augmentation"; null: none), architecture, width, parameters, device, precision,
classes [{index, name, colour [r, g, b]}], uncertainty [{kind, unit, range_max}], the default first,
calibration {data, temperature, verdict {kind, accept_max, review_max, error_rate, reject_error_rate} or null}, or null}].
SAMPLING is the method and how many predictions of one network an answer is made of.)";

Json CalibrationJson(const std::optional<CalibrationDescription>& calibration) {
  if (!calibration.has_value()) return nullptr;
  Json json = {
      {"data", calibration->data}, {"temperature", JsonNumber(calibration->temperature)}, {"verdict", nullptr}};
  if (calibration->verdict.has_value()) {
    const VerdictDescription& verdict = *calibration->verdict;
    json["verdict"] = {{"kind", verdict.kind},
                       {"accept_max", JsonNumber(verdict.accept_max)},
                       {"review_max", JsonNumber(verdict.review_max)},
                       {"error_rate", JsonNumber(verdict.error_rate)},
                       {"reject_error_rate", JsonNumber(verdict.reject_error_rate)}};
  }
  return json;
}

Json ModelJson(const ModelDescription& model) {
  Json json = {{"name", model.name},
               {"version", model.version},
               {"digest", model.digest},
               {"kind", model.kind},
               {"aliases", model.aliases},
               {"members", model.members},
               {"damaged_members", model.damaged_members},
               {"predictions", model.predictions},
               {"sampling", model.sampling.empty() ? Json(nullptr) : Json(model.sampling)},
               {"architecture", model.architecture},
               {"width", model.width},
               {"parameters", model.parameters},
               {"device", model.device},
               {"precision", model.precision},
               {"classes", Json::array()},
               {"uncertainty", Json::array()}};
  for (size_t i = 0; i < model.classes.size(); ++i) {
    const Colour& colour = model.classes[i].colour;
    json["classes"].push_back({{"index", i},
                               {"name", model.classes[i].name},
                               {"colour", Json::array({colour.red, colour.green, colour.blue})}});
  }
  for (const KindDescription& kind : model.uncertainty) {
    json["uncertainty"].push_back(
        {{"kind", kind.name}, {"unit", kind.unit}, {"range_max", JsonNumber(kind.range_max)}});
  }
  json["calibration"] = CalibrationJson(model.calibration);
  return json;
}

std::string MembersText(const ModelDescription& model) {
  if (model.damaged_members == 0) return absl::StrCat(model.members);
  return absl::StrCat(model.members, " of ", model.members + model.damaged_members);
}

void PrintTable(const ModelList& list, std::ostream& out) {
  Table table({"MODEL", "VERSION", "KIND", "MEMBERS", "CLASSES", "WIDTH", "PARAMETERS", "DEVICE", "PRECISION",
               "SAMPLING", "CALIBRATED", "ALIASES", "UNCERTAINTY"});
  for (const ModelDescription& model : list.models) {
    std::vector<std::string> kinds;
    for (const KindDescription& kind : model.uncertainty) kinds.push_back(kind.name);
    const std::string aliases = model.aliases.empty() ? "-" : absl::StrJoin(model.aliases, ",");
    const std::string sampling = model.sampling.empty() ? "-" : absl::StrCat(model.sampling, " x", model.predictions);
    table.AddRow({OneLine(absl::StrCat(model.name, model.name == list.default_model ? "*" : "")),
                  absl::StrCat(model.version), model.kind, MembersText(model), absl::StrCat(model.classes.size()),
                  absl::StrCat(model.width), absl::StrCat(model.parameters), OneLine(model.device),
                  OneLine(model.precision.empty() ? "-" : model.precision), OneLine(sampling),
                  model.calibration.has_value() ? "yes" : "no", OneLine(aliases), OneLine(absl::StrJoin(kinds, ","))});
  }
  table.Print(out);
}

}  // namespace

CLI::App* AddModelsCommand(CLI::App* app, ModelsFlags* flags) {
  CLI::App* command = app->add_subcommand("models", "List the models that the server has loaded");
  AddConnectionFlags(command, &flags->connection);
  command->add_flag("--json", flags->json, "Print everything, with classes and colours, as one JSON object");
  command->footer(kHelp);
  return command;
}

ExitCode RunModels(const ModelsFlags& flags, const Console& console) {
  const auto client = Connect(flags.connection);
  if (!client.ok()) return ReportStatus(console, flags.connection, "", client.status());
  const absl::StatusOr<ModelList> list = (*client)->ListModels();
  if (!list.ok()) return ReportStatus(console, flags.connection, "", list.status());
  if (!flags.json) {
    PrintTable(*list, console.out);
    return ExitCode::kOk;
  }
  Json json = {{"default_model", list->default_model}, {"models", Json::array()}};
  for (const ModelDescription& model : list->models) json["models"].push_back(ModelJson(model));
  console.out << JsonLine(json) << "\n";
  return ExitCode::kOk;
}

}  // namespace candor
