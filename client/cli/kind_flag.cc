// SPDX-License-Identifier: Apache-2.0
//
// Checks the kind against the protocol first, against the model later.
#include "client/cli/kind_flag.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/messages.h"

namespace candor {
namespace {

std::string CheckKind(const std::string& text) {
  const std::vector<std::string> known = AllKindNames();
  if (std::find(known.begin(), known.end(), text) != known.end()) return "";
  return absl::StrCat("must be one of ", absl::StrJoin(known, ", "), ", got ", text);
}

}  // namespace

void AddKindFlag(CLI::App* app, std::string* kind) {
  app->add_option(
         "--uncertainty", *kind,
         absl::StrCat("Kind of uncertainty: ", absl::StrJoin(AllKindNames(), ", "), "; default: the model's first"))
      ->type_name("KIND")
      ->check(CLI::Validator(CheckKind, ""));
}

absl::StatusOr<KindDescription> FindKind(const ModelDescription& model, const std::string& kind) {
  if (kind.empty()) return model.uncertainty[0];
  std::vector<std::string> names;
  for (const KindDescription& entry : model.uncertainty) {
    if (entry.name == kind) return entry;
    names.push_back(entry.name);
  }
  return absl::FailedPreconditionError(
      absl::StrCat("--uncertainty: model ", model.name, " has no ", kind, "; it has ", absl::StrJoin(names, ", ")));
}

}  // namespace candor
