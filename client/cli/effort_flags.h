// SPDX-License-Identifier: Apache-2.0
//
// --priority, --anytime and --escalate: when a request has its turn, and how many models and members answer it; and
// what the models say that may.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/segmentation_client.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace candor {

struct EffortFlags {
  RequestPriority priority = RequestPriority::kNormal;
  bool anytime = false;
  bool escalate = false;                // each of the next two implies it
  std::optional<float> escalate_above;  // unset: the verdict decides
  std::string escalate_to;              // empty: the teacher

  bool has_escalation() const { return escalate || escalate_above.has_value() || !escalate_to.empty(); }
};

void AddEffortFlags(CLI::App* app, EffortFlags* flags);

// Sets priority, anytime and escalation of `options`.
void Apply(const EffortFlags& flags, SegmentOptions* options);

struct AnsweringModel {
  ModelDescription model;
  KindDescription kind;  // the uncertainty shown, with this model's range
};

// The model asked, and with an escalation the second one.
class AnsweringModels {
 public:
  // `kind` as of FindKind, of the first. Errors: those of GetModel and FindKind, with the flag's name before the second
  // one's. FailedPrecondition: one model twice, or nothing that says when the first is unsure.
  static absl::StatusOr<AnsweringModels> Find(const std::string& model, const std::string& kind,
                                              const EffortFlags& flags, SegmentationClient* client);

  const AnsweringModel& first() const { return first_; }
  // Whose answer `result` is.
  const AnsweringModel& Of(const SegmentResult& result) const;

 private:
  AnsweringModel first_;
  std::optional<AnsweringModel> second_;
};

// "3/10": members that an answer is made of, and of a full one; "-" if the server does not say.
std::string MembersText(int members, int predictions);

}  // namespace candor
