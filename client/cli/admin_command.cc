// SPDX-License-Identifier: Apache-2.0
//
// One call of candor.v1.ModelAdmin, and what it did as text or JSON.
#include "client/cli/admin_command.h"

#include <CLI/CLI.hpp>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/json_number.h"
#include "client/cli/table.h"
#include "client/model_admin_client.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kHelp[] = R"(Examples:
  candor admin versions
  candor admin reload                     # the newest version of every model
  candor admin load street --version 4
  candor admin rollback street            # the version served before
  candor admin unload street

The new version is loaded and checked beside the old one, which goes on if anything is wrong. Asks for a token of the role
admin (--token-file) or, where the server has no token_file, for a caller on its machine. --json prints one object: changes
[{model, version_before, version_after, digest, load_seconds}], or for versions models [{model, directory, served_version,
previous_version, versions [{version, complete}]}]; a version of null: none. Exit codes: 0 done, 75 another change is under
way, 74 the bundle is damaged, 69 no answer, 1 refused for another reason, 2 usage.)";

Json VersionJson(int version) { return version == 0 ? Json(nullptr) : Json(version); }

Json ChangesJson(const std::vector<ModelChangeResult>& changes) {
  Json json = {{"changes", Json::array()}};
  for (const ModelChangeResult& change : changes) {
    json["changes"].push_back({{"model", change.model},
                               {"version_before", VersionJson(change.version_before)},
                               {"version_after", VersionJson(change.version_after)},
                               {"digest", change.digest.empty() ? Json(nullptr) : Json(change.digest)},
                               {"load_seconds", change.load_seconds}});
  }
  return json;
}

std::string Describe(const ModelChangeResult& change) {
  if (change.version_after == 0) return absl::StrCat("version ", change.version_before, " unloaded");
  const std::string seconds = change.load_seconds > 0 ? absl::StrFormat(", loaded in %.2f s", change.load_seconds) : "";
  if (change.version_before == 0) return absl::StrCat("version ", change.version_after, seconds);
  if (change.version_before == change.version_after && seconds.empty()) {
    return absl::StrCat("version ", change.version_after, " as before");
  }
  return absl::StrCat("version ", change.version_before, " -> ", change.version_after, seconds);
}

ExitCode PrintChanges(const std::vector<ModelChangeResult>& changes, const AdminFlags& flags, const Console& console) {
  if (flags.json) {
    console.out << JsonLine(ChangesJson(changes)) << "\n";
    return ExitCode::kOk;
  }
  if (changes.empty()) console.out << "nothing newer\n";
  for (const ModelChangeResult& change : changes) {
    console.out << OneLine(change.model) << ": " << Describe(change) << "\n";
  }
  return ExitCode::kOk;
}

ExitCode PrintVersions(const std::vector<ModelVersionsOnServer>& models, bool as_json, const Console& console) {
  Json json = {{"models", Json::array()}};
  Table table({"MODEL", "VERSION", "STATE", "DIRECTORY"});
  for (const ModelVersionsOnServer& model : models) {
    Json versions = Json::array();
    for (const auto& version : model.versions) {
      versions.push_back({{"version", version.version}, {"complete", version.is_complete}});
      const char* state = version.version == model.served_version     ? "served"
                          : !version.is_complete                      ? "incomplete"
                          : version.version == model.previous_version ? "previous"
                                                                      : "ready";
      table.AddRow({OneLine(model.model), absl::StrCat(version.version), state, OneLine(model.directory)});
    }
    json["models"].push_back({{"model", model.model},
                              {"directory", model.directory},
                              {"served_version", VersionJson(model.served_version)},
                              {"previous_version", VersionJson(model.previous_version)},
                              {"versions", std::move(versions)}});
  }
  if (as_json) {
    console.out << JsonLine(json) << "\n";
  } else {
    table.Print(console.out);
  }
  return ExitCode::kOk;
}

absl::StatusOr<std::vector<ModelChangeResult>> Change(const AdminFlags& flags, ModelAdminClient* client) {
  using Action = AdminFlags::Action;
  if (flags.action == Action::kReload) return client->Reload(flags.model);
  ASSIGN_OR_RETURN(ModelChangeResult change, flags.action == Action::kLoad ? client->Load(flags.model, flags.version)
                                             : flags.action == Action::kUnload ? client->Unload(flags.model)
                                                                               : client->Rollback(flags.model));
  return std::vector<ModelChangeResult>{std::move(change)};
}

}  // namespace

CLI::App* AddAdminCommand(CLI::App* app, AdminFlags* flags) {
  using Action = AdminFlags::Action;
  CLI::App* command = app->add_subcommand("admin", "Change the models that the server serves");
  command->require_subcommand(1);
  command->footer(kHelp);
  const auto add = [command, flags](const char* name, const char* description, Action action, bool needs_model) {
    CLI::App* sub = command->add_subcommand(name, description);
    AddConnectionFlags(sub, &flags->connection);
    CLI::Option* model =
        sub->add_option("model", flags->model, needs_model ? "Name or alias" : "Name or alias; none: all")
            ->type_name("MODEL");
    if (needs_model) model->required();
    sub->add_flag("--json", flags->json, "Print one JSON object");
    sub->footer(kHelp);
    sub->callback([flags, action] { flags->action = action; });
    return sub;
  };
  add("load", "Serve a version of a model", Action::kLoad, true)
      ->add_option("--version", flags->version, "Which one; default: the newest, or the one configured")
      ->type_name("N")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  add("unload", "Serve a model no longer", Action::kUnload, true);
  add("reload", "Take newer versions, of one model or of all", Action::kReload, false);
  add("rollback", "Serve the version that was served before", Action::kRollback, true);
  add("versions", "List what is on the server's disk, and what of it is served", Action::kVersions, false);
  return command;
}

ExitCode RunAdmin(const AdminFlags& flags, const Console& console) {
  const auto fail = [&](const absl::Status& status) { return ReportStatus(console, flags.connection, "", status); };
  const auto client = ModelAdminClient::Create(OptionsOf(flags.connection));
  if (!client.ok()) return fail(client.status());
  if (flags.action == AdminFlags::Action::kVersions) {
    const auto models = (*client)->ListVersions(flags.model);
    return models.ok() ? PrintVersions(*models, flags.json, console) : fail(models.status());
  }
  const auto changes = Change(flags, client->get());
  return changes.ok() ? PrintChanges(*changes, flags, console) : fail(changes.status());
}

}  // namespace candor
