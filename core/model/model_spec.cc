// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_spec.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/model/calibration_json.h"
#include "core/model/class_json.h"
#include "core/model/group_json.h"
#include "core/model/sampling_json.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

constexpr char kArchitecture[] = "deeplabv3plus_resnet18";
constexpr int kMinWidth = 4;
constexpr int kMaxWidth = 512;
constexpr size_t kMaxMembers = 1000;
constexpr int64_t kMaxWeightBytes = int64_t{4} << 30;
constexpr size_t kAnswerPixels = size_t{64} * 64;

absl::Status CheckNormalisation(const Normalisation& normalisation) {
  for (size_t i = 0; i < 3; ++i) {
    const float mean = normalisation.mean[i];
    const float stddev = normalisation.stddev[i];
    if (!std::isfinite(mean)) {
      return JsonError(ItemPath("normalisation.mean", i), absl::StrCat("must be finite, is ", mean));
    }
    if (!std::isfinite(stddev) || stddev <= 0) {
      return JsonError(ItemPath("normalisation.stddev", i), absl::StrCat("must be above 0 and finite, is ", stddev));
    }
  }
  return absl::OkStatus();
}

// Of one network's scores.
constexpr UncertaintyKind kPlainKinds[] = {UncertaintyKind::kPredictiveEntropy, UncertaintyKind::kMaxProbability,
                                           UncertaintyKind::kMargin};
// In closed form; the labels of draws are not.
constexpr UncertaintyKind kDirichletKinds[] = {UncertaintyKind::kPredictiveStddev, UncertaintyKind::kPredictiveEntropy,
                                               UncertaintyKind::kExpectedEntropy,  UncertaintyKind::kMutualInformation,
                                               UncertaintyKind::kMaxProbability,   UncertaintyKind::kMargin};

std::string NotUnique(UncertaintyKind kind) {
  return absl::StrCat("must be unique, ", UncertaintyKindName(kind), " comes twice");
}

absl::Status CheckUncertainty(const ModelSpec& spec) {
  if (spec.uncertainty.empty()) return JsonError("uncertainty", "must have at least 1 item, has 0");
  const std::vector<UncertaintyKind> possible = UncertaintyKindsOf(spec);
  std::set<UncertaintyKind> seen;
  for (size_t i = 0; i < spec.uncertainty.size(); ++i) {
    const UncertaintyKind kind = spec.uncertainty[i];
    const std::string path = KeyPath(ItemPath("uncertainty", i), "kind");
    if (std::find(possible.begin(), possible.end(), kind) == possible.end()) {
      const std::string names = absl::StrJoin(
          possible, ", ", [](std::string* out, UncertaintyKind k) { absl::StrAppend(out, UncertaintyKindName(k)); });
      return JsonError(path, absl::StrCat("must be one that kind ", ModelKindName(spec.kind), " can give (", names,
                                          "), is ", UncertaintyKindName(kind)));
    }
    if (!seen.insert(kind).second) return JsonError(path, NotUnique(kind));
  }
  return absl::OkStatus();
}

bool IsFitted(UncertaintyHead head) {
  return head == UncertaintyHead::kEnergy || head == UncertaintyHead::kFeatureDensity;
}

absl::Status CheckHead(const ModelSpec& spec) {
  const absl::string_view name = UncertaintyHeadName(spec.head);
  if (spec.is_encoder_shared && spec.kind != ModelKind::kEnsemble) {
    return JsonError("shared_encoder", absl::StrCat("must be false for kind ", ModelKindName(spec.kind), ", is true"));
  }
  const int most = spec.head == UncertaintyHead::kFeatureDensity ? 4 * spec.width : 0;
  if (spec.density_components < 0 || spec.density_components > most) {
    return JsonError("density_components",
                     absl::StrCat("must be in [0, ", most, "] for head ", name, ", is ", spec.density_components));
  }
  if (spec.head == UncertaintyHead::kLinear) return absl::OkStatus();
  const ModelKind wanted = IsFitted(spec.head) ? ModelKind::kSingle : ModelKind::kStudent;
  if (spec.kind != wanted || spec.sampling.method != SamplingMethod::kNone) {
    return JsonError("head",
                     absl::StrCat(name, " is for kind ", ModelKindName(wanted), " without sampling, not for ",
                                  ModelKindName(spec.kind), " with ", SamplingMethodName(spec.sampling.method)));
  }
  std::vector<UncertaintyKind> only;
  if (spec.head == UncertaintyHead::kPerClass) only = {UncertaintyKind::kPredictiveStddev};
  if (spec.head == UncertaintyHead::kEnergy) only = {UncertaintyKind::kEnergy};
  if (spec.head == UncertaintyHead::kFeatureDensity) only = {UncertaintyKind::kFeatureDensity};
  if (only.empty() || spec.learned == only) return absl::OkStatus();
  return JsonError("learned", absl::StrCat("must be ", UncertaintyKindName(only[0]), " alone for head ", name));
}

absl::Status CheckLearned(const ModelSpec& spec) {
  const bool has_draws = spec.sampling.method != SamplingMethod::kNone;
  const bool is_learned = (spec.kind == ModelKind::kStudent && !has_draws) || IsFitted(spec.head);
  if (is_learned && spec.learned.empty()) {
    return JsonError("learned",
                     absl::StrCat("must have at least 1 item for kind ", ModelKindName(spec.kind), ", has 0"));
  }
  if (!is_learned && !spec.learned.empty()) {
    return JsonError(
        "learned", absl::StrCat("must be empty for kind ", ModelKindName(spec.kind), has_draws ? " with sampling" : "",
                                ", has ", spec.learned.size(), " items"));
  }
  std::set<UncertaintyKind> seen;
  for (size_t i = 0; i < spec.learned.size(); ++i) {
    if (!seen.insert(spec.learned[i]).second) return JsonError(ItemPath("learned", i), NotUnique(spec.learned[i]));
  }
  return absl::OkStatus();
}

absl::Status CheckFile(const FileRecord& file, const std::string& path) {
  const std::string& name = file.name;
  if (name.empty() || name == "." || name == ".." || name == "model.json" || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos || !IsUtf8(name)) {
    return JsonError(
        KeyPath(path, "file"),
        absl::StrCat("must be a file name without a slash, other than model.json, is \"", ForMessage(name), "\""));
  }
  if (file.bytes < 0 || file.bytes > kMaxWeightBytes) {
    return JsonError(KeyPath(path, "bytes"), absl::StrCat("must be in [0, ", kMaxWeightBytes, "], is ", file.bytes));
  }
  const auto is_lower_hex = [](char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); };
  if (file.sha256.size() != 64 || !std::all_of(file.sha256.begin(), file.sha256.end(), is_lower_hex)) {
    return JsonError(KeyPath(path, "sha256"),
                     absl::StrCat("must be 64 lower-case hex digits, is \"", ForMessage(file.sha256), "\""));
  }
  return absl::OkStatus();
}

absl::Status CheckWeights(const ModelSpec& spec) {
  const bool is_ensemble = spec.kind == ModelKind::kEnsemble;
  const size_t min_files = is_ensemble ? 2 : 1;
  const size_t max_files = is_ensemble ? kMaxMembers : 1;
  if (spec.weights.size() < min_files || spec.weights.size() > max_files) {
    return JsonError("weights",
                     absl::StrCat("must have ", is_ensemble ? absl::StrCat("2 to ", kMaxMembers) : "1",
                                  " items for kind ", ModelKindName(spec.kind), ", has ", spec.weights.size()));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < spec.weights.size(); ++i) {
    const std::string path = ItemPath("weights", i);
    RETURN_IF_ERROR(CheckFile(spec.weights[i], path));
    if (!names.insert(spec.weights[i].name).second) {
      return JsonError(KeyPath(path, "file"),
                       absl::StrCat("must be unique, \"", ForMessage(spec.weights[i].name), "\" comes twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckKnownAnswer(const ModelSpec& spec) {
  const KnownAnswer& answer = spec.known_answer;
  if (answer.labels.size() != kAnswerPixels) {
    return JsonError("known_answer.labels",
                     absl::StrCat("must hold ", kAnswerPixels, " bytes, holds ", answer.labels.size()));
  }
  if (answer.uncertainty.size() != kAnswerPixels) {
    return JsonError("known_answer.uncertainty",
                     absl::StrCat("must hold ", kAnswerPixels, " bytes, holds ", answer.uncertainty.size()));
  }
  for (size_t i = 0; i < kAnswerPixels; ++i) {
    if (answer.labels[i] >= spec.class_count()) {
      return JsonError("known_answer.labels", absl::StrCat("must be below the class count ", spec.class_count(),
                                                           ", pixel ", i, " is ", answer.labels[i]));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view ModelKindName(ModelKind kind) {
  switch (kind) {
    case ModelKind::kStudent:
      return "student";
    case ModelKind::kEnsemble:
      return "ensemble";
    case ModelKind::kSingle:
      return "single";
  }
  return "unknown";
}

absl::StatusOr<ModelKind> ParseModelKind(absl::string_view name) {
  for (ModelKind kind : {ModelKind::kStudent, ModelKind::kEnsemble, ModelKind::kSingle}) {
    if (ModelKindName(kind) == name) return kind;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("model kind: must be student, ensemble or single, is \"", ForMessage(name), "\""));
}

absl::string_view UncertaintyHeadName(UncertaintyHead head) {
  switch (head) {
    case UncertaintyHead::kLinear:
      return "linear";
    case UncertaintyHead::kPerClass:
      return "per_class";
    case UncertaintyHead::kObserver:
      return "observer";
    case UncertaintyHead::kEnergy:
      return "energy";
    case UncertaintyHead::kFeatureDensity:
      return "feature_density";
  }
  return "unknown";
}

absl::StatusOr<UncertaintyHead> ParseUncertaintyHead(absl::string_view name) {
  for (UncertaintyHead head : {UncertaintyHead::kLinear, UncertaintyHead::kPerClass, UncertaintyHead::kObserver,
                               UncertaintyHead::kEnergy, UncertaintyHead::kFeatureDensity}) {
    if (UncertaintyHeadName(head) == name) return head;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("uncertainty head: must be linear, per_class, observer, energy or feature_density, is \"",
                   ForMessage(name), "\"; a newer build may know it"));
}

int PredictionCount(const ModelSpec& spec) {
  switch (spec.sampling.method) {
    case SamplingMethod::kMcDropout:
    case SamplingMethod::kWeightSamples:
    case SamplingMethod::kRankOne:
    case SamplingMethod::kLogitSamples:
      return spec.sampling.passes;
    case SamplingMethod::kAugmentation:
      return static_cast<int>(spec.sampling.views.size());
    case SamplingMethod::kDirichlet:
    case SamplingMethod::kNone:
      break;
  }
  return spec.kind == ModelKind::kEnsemble ? static_cast<int>(spec.weights.size()) : 1;
}

std::vector<UncertaintyKind> UncertaintyKindsOf(const ModelSpec& spec) {
  if (spec.sampling.method == SamplingMethod::kDirichlet) {
    return {std::begin(kDirichletKinds), std::end(kDirichletKinds)};
  }
  if (spec.kind == ModelKind::kEnsemble || spec.sampling.method != SamplingMethod::kNone) {
    return {kMemberUncertaintyKinds.begin(), kMemberUncertaintyKinds.end()};
  }
  std::vector<UncertaintyKind> kinds = spec.learned;
  for (const UncertaintyKind kind : kPlainKinds) {
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return kinds;
}

absl::Status ValidateModelSpec(const ModelSpec& spec) {
  if (spec.architecture != kArchitecture) {
    return JsonError("architecture",
                     absl::StrCat("must be ", kArchitecture, ", is \"", ForMessage(spec.architecture), "\""));
  }
  if (spec.width < kMinWidth || spec.width > kMaxWidth || spec.width % 4 != 0) {
    return JsonError("width",
                     absl::StrCat("must be a multiple of 4 in [", kMinWidth, ", ", kMaxWidth, "], is ", spec.width));
  }
  RETURN_IF_ERROR(CheckClasses(spec.classes, "classes"));
  RETURN_IF_ERROR(CheckGroups(spec.groups, spec.class_count(), "groups"));
  RETURN_IF_ERROR(CheckNormalisation(spec.normalisation));
  RETURN_IF_ERROR(CheckSampling(spec));
  RETURN_IF_ERROR(CheckHead(spec));
  RETURN_IF_ERROR(CheckLearned(spec));
  RETURN_IF_ERROR(CheckUncertainty(spec));
  RETURN_IF_ERROR(CheckWeights(spec));
  RETURN_IF_ERROR(CheckKnownAnswer(spec));
  RETURN_IF_ERROR(CheckCalibration(spec));
  if (!IsUtf8(spec.training)) return JsonError("training", "must be UTF-8");
  return absl::OkStatus();
}

}  // namespace candor
