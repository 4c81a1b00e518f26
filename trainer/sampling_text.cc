// SPDX-License-Identifier: Apache-2.0
#include "trainer/sampling_text.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

absl::Status Refuse(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("sampling: must be mc_dropout:RATE:PASSES, augmentation:SCALE[f],SCALE[f],..., "
                   "weight_samples:PASSES[:decoder] or rank_one:MEMBERS, got \"",
                   absl::CHexEscape(text), "\""));
}

absl::Status ParseDropout(absl::string_view text, Sampling* sampling) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  sampling->method = SamplingMethod::kMcDropout;
  if (parts.size() == 2 && absl::SimpleAtof(parts[0], &sampling->dropout) &&
      absl::SimpleAtoi(parts[1], &sampling->passes)) {
    return absl::OkStatus();
  }
  return Refuse(text);
}

absl::Status ParseViews(absl::string_view text, Sampling* sampling) {
  sampling->method = SamplingMethod::kAugmentation;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    AugmentedView view;
    view.flip = absl::ConsumeSuffix(&part, "f");
    if (!absl::SimpleAtof(part, &view.scale)) return Refuse(text);
    sampling->views.push_back(view);
  }
  return absl::OkStatus();
}

absl::Status ParsePasses(absl::string_view text, SamplingMethod method, Sampling* sampling) {
  sampling->method = method;
  sampling->is_decoder_only = method == SamplingMethod::kWeightSamples && absl::ConsumeSuffix(&text, ":decoder");
  return absl::SimpleAtoi(text, &sampling->passes) ? absl::OkStatus() : Refuse(text);
}

}  // namespace

absl::StatusOr<Sampling> ParseSampling(absl::string_view text) {
  Sampling sampling;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "mc_dropout:")) {
    RETURN_IF_ERROR(ParseDropout(rest, &sampling));
  } else if (absl::ConsumePrefix(&rest, "augmentation:")) {
    RETURN_IF_ERROR(ParseViews(rest, &sampling));
  } else if (absl::ConsumePrefix(&rest, "weight_samples:")) {
    RETURN_IF_ERROR(ParsePasses(rest, SamplingMethod::kWeightSamples, &sampling));
  } else if (absl::ConsumePrefix(&rest, "rank_one:")) {
    RETURN_IF_ERROR(ParsePasses(rest, SamplingMethod::kRankOne, &sampling));
  } else {
    return Refuse(text);
  }
  return sampling;
}

}  // namespace candor
