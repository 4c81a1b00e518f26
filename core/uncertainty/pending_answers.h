// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

// A batch's answers, which a device may still work on.
class PendingAnswers {
 public:
  using Answers = absl::StatusOr<std::vector<Segmentation>>;

  // They are there.
  // NOLINTNEXTLINE(google-explicit-constructor)
  PendingAnswers(std::vector<Segmentation> answers) : answers_(std::move(answers)) {}
  // `take` waits for the device, on whichever thread calls it, and touches nothing that a later batch uses.
  explicit PendingAnswers(absl::AnyInvocable<Answers() &&> take) : take_(std::move(take)) {}

  // False: Take has to wait for a device.
  bool are_ready() const { return take_ == nullptr; }

  // Once. Throws what `take` does.
  Answers Take() && {
    if (take_ != nullptr) return std::move(take_)();
    return std::move(answers_);
  }

 private:
  std::vector<Segmentation> answers_;
  absl::AnyInvocable<Answers() &&> take_;
};

}  // namespace candor
