// SPDX-License-Identifier: Apache-2.0
#include "client/cli/effort_flags.h"

#include <CLI/CLI.hpp>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/cli/kind_flag.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

std::string CheckBound(const std::string& text) {
  float value = 0;
  if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value >= 0) return "";
  return absl::StrCat("must be finite and >= 0, got ", text);
}

std::string CheckName(const std::string& text) { return text.empty() ? "must be a model's name, got nothing" : ""; }

std::string CheckPriority(const std::string& text) {
  return text == "low" || text == "normal" || text == "high" ? ""
                                                             : absl::StrCat("must be low, normal or high, got ", text);
}

}  // namespace

void AddEffortFlags(CLI::App* app, EffortFlags* flags) {
  app->add_option_function<std::string>(
         "--priority",
         [flags](const std::string& text) {
           flags->priority = text == "low"    ? RequestPriority::kLow
                             : text == "high" ? RequestPriority::kHigh
                                              : RequestPriority::kNormal;
         },
         "low, normal or high: who goes first when requests wait; default: normal")
      ->type_name("HOW")
      ->check(CLI::Validator(CheckPriority, ""));
  app->add_flag("--anytime", flags->anytime,
                "An answer of some of an ensemble's members, at least two, rather than none in time");
  app->add_flag("--escalate", flags->escalate,
                "Ask the teacher where the model is unsure and the time allows; by its verdict, if it gives one");
  app->add_option("--escalate-above", flags->escalate_above,
                  "Escalate pictures whose mean uncertainty, of the model's default kind, is above it")
      ->type_name("X")
      ->check(CLI::Validator(CheckBound, ""));
  app->add_option("--escalate-to", flags->escalate_to, "Escalate to this model; default: teacher")
      ->type_name("NAME")
      ->check(CLI::Validator(CheckName, ""));
}

void Apply(const EffortFlags& flags, SegmentOptions* options) {
  options->priority = flags.priority;
  options->anytime = flags.anytime;
  if (flags.has_escalation()) options->escalation = EscalationOption{flags.escalate_to, flags.escalate_above};
}

absl::StatusOr<AnsweringModels> AnsweringModels::Find(const std::string& model, const std::string& kind,
                                                      const EffortFlags& flags, SegmentationClient* client) {
  AnsweringModels models;
  ASSIGN_OR_RETURN(models.first_.model, client->GetModel(model));
  ASSIGN_OR_RETURN(models.first_.kind, FindKind(models.first_.model, kind));
  if (!flags.has_escalation()) return models;
  if (!flags.escalate_above.has_value() &&
      !(models.first_.model.calibration.has_value() && models.first_.model.calibration->verdict.has_value())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--escalate: ", models.first_.model.name, " gives no verdicts; --escalate-above X has to say what is unsure"));
  }
  AnsweringModel second;
  absl::StatusOr<ModelDescription> found = client->GetModel(flags.escalate_to.empty() ? "teacher" : flags.escalate_to);
  if (!found.ok()) {
    return absl::Status(found.status().code(), absl::StrCat("--escalate-to: ", found.status().message()));
  }
  second.model = *std::move(found);
  if (second.model.name == models.first_.model.name) {
    return absl::FailedPreconditionError(
        absl::StrCat("--escalate-to: must be another model than ", second.model.name, ", which answers first"));
  }
  ASSIGN_OR_RETURN(second.kind, FindKind(second.model, models.first_.kind.name));
  models.second_ = std::move(second);
  return models;
}

const AnsweringModel& AnsweringModels::Of(const SegmentResult& result) const {
  return second_.has_value() && result.model == second_->model.name ? *second_ : first_;
}

std::string MembersText(int members, int predictions) {
  return members == 0 ? "-" : absl::StrCat(members, "/", predictions);
}

}  // namespace candor
