// SPDX-License-Identifier: Apache-2.0
#include "core/model/sampling_json.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kMinPasses = 2;
constexpr int kMaxPasses = 128;
constexpr size_t kMinViews = 2;
constexpr size_t kMaxViews = 32;
constexpr float kMinScale = 0.25f;
constexpr float kMaxScale = 4;
constexpr int kMaxRank = 16;

bool HasPasses(SamplingMethod method) {
  return method == SamplingMethod::kMcDropout || method == SamplingMethod::kWeightSamples ||
         method == SamplingMethod::kRankOne || method == SamplingMethod::kLogitSamples;
}

absl::StatusOr<int> ReadCount(const json& value, const std::string& path) {
  ASSIGN_OR_RETURN(const int64_t count, ReadInteger(value, path, 0, std::numeric_limits<int>::max()));
  return static_cast<int>(count);
}

absl::StatusOr<AugmentedView> ViewFromJson(const json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckKeys(value, path, {"scale", "flip"}));
  AugmentedView view;
  ASSIGN_OR_RETURN(view.scale, ReadFloat(value["scale"], KeyPath(path, "scale")));
  ASSIGN_OR_RETURN(view.flip, ReadBool(value["flip"], KeyPath(path, "flip")));
  return view;
}

absl::Status CheckPasses(const Sampling& sampling) {
  if (sampling.passes >= kMinPasses && sampling.passes <= kMaxPasses) return absl::OkStatus();
  return JsonError("sampling.passes",
                   absl::StrCat("must be in [", kMinPasses, ", ", kMaxPasses, "], is ", sampling.passes));
}

absl::Status CheckDropout(const Sampling& sampling) {
  RETURN_IF_ERROR(CheckPasses(sampling));
  if (!(sampling.dropout > 0 && sampling.dropout < 1)) {  // NaN too
    return JsonError("sampling.dropout", absl::StrCat("must be in (0, 1), is ", sampling.dropout));
  }
  return absl::OkStatus();
}

absl::Status CheckRank(const Sampling& sampling) {
  RETURN_IF_ERROR(CheckPasses(sampling));
  if (sampling.rank >= 0 && sampling.rank <= kMaxRank) return absl::OkStatus();
  return JsonError("sampling.rank", absl::StrCat("must be in [0, ", kMaxRank, "], is ", sampling.rank));
}

absl::Status CheckViews(const Sampling& sampling) {
  if (sampling.views.size() < kMinViews || sampling.views.size() > kMaxViews) {
    return JsonError("sampling.views",
                     absl::StrCat("must have ", kMinViews, " to ", kMaxViews, " items, has ", sampling.views.size()));
  }
  for (size_t i = 0; i < sampling.views.size(); ++i) {
    const float scale = sampling.views[i].scale;
    if (!(scale >= kMinScale && scale <= kMaxScale)) {  // NaN too
      return JsonError(KeyPath(ItemPath("sampling.views", i), "scale"),
                       absl::StrCat("must be in [", kMinScale, ", ", kMaxScale, "], is ", scale));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view SamplingMethodName(SamplingMethod method) {
  switch (method) {
    case SamplingMethod::kNone:
      return "none";
    case SamplingMethod::kMcDropout:
      return "mc_dropout";
    case SamplingMethod::kAugmentation:
      return "augmentation";
    case SamplingMethod::kWeightSamples:
      return "weight_samples";
    case SamplingMethod::kRankOne:
      return "rank_one";
    case SamplingMethod::kLogitSamples:
      return "logit_samples";
    case SamplingMethod::kDirichlet:
      return "dirichlet";
  }
  return "unknown";
}

absl::StatusOr<SamplingMethod> ParseSamplingMethod(absl::string_view name) {
  for (SamplingMethod method : {SamplingMethod::kNone, SamplingMethod::kMcDropout, SamplingMethod::kAugmentation,
                                SamplingMethod::kWeightSamples, SamplingMethod::kRankOne, SamplingMethod::kLogitSamples,
                                SamplingMethod::kDirichlet}) {
    if (SamplingMethodName(method) == name) return method;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("sampling method: must be none, mc_dropout, augmentation, weight_samples, rank_one, logit_samples "
                   "or dirichlet, is \"",
                   ForMessage(name), "\"; a newer build may know it"));
}

ordered_json SamplingToJson(const Sampling& sampling) {
  ordered_json value = {{"method", std::string(SamplingMethodName(sampling.method))}};
  if (HasPasses(sampling.method)) value["passes"] = sampling.passes;
  if (sampling.method == SamplingMethod::kMcDropout) {
    value["dropout"] = ShortDouble(sampling.dropout);
  } else if (sampling.method == SamplingMethod::kWeightSamples) {
    value["decoder_only"] = sampling.is_decoder_only;
  } else if (sampling.method == SamplingMethod::kLogitSamples) {
    value["rank"] = sampling.rank;
  } else if (sampling.method == SamplingMethod::kAugmentation) {
    value["views"] = ordered_json::array();
    for (const AugmentedView& view : sampling.views) {
      value["views"].push_back({{"scale", ShortDouble(view.scale)}, {"flip", view.flip}});
    }
  }
  return value;
}

absl::StatusOr<Sampling> SamplingFromJson(const json& value, const std::string& path) {
  if (!value.is_object()) return CheckKeys(value, path, {});  // says what it is instead
  if (!value.contains("method")) return JsonError(KeyPath(path, "method"), "missing");
  ASSIGN_OR_RETURN(const std::string name, ReadString(value["method"], KeyPath(path, "method")));
  const auto method = ParseSamplingMethod(name);
  if (!method.ok()) return JsonError(KeyPath(path, "method"), method.status().message());
  Sampling sampling;
  sampling.method = *method;
  switch (sampling.method) {
    case SamplingMethod::kNone:
    case SamplingMethod::kDirichlet:
      RETURN_IF_ERROR(CheckKeys(value, path, {"method"}));
      break;
    case SamplingMethod::kRankOne:
      RETURN_IF_ERROR(CheckKeys(value, path, {"method", "passes"}));
      break;
    case SamplingMethod::kWeightSamples: {
      RETURN_IF_ERROR(CheckKeys(value, path, {"method", "passes", "decoder_only"}));
      ASSIGN_OR_RETURN(sampling.is_decoder_only, ReadBool(value["decoder_only"], KeyPath(path, "decoder_only")));
      break;
    }
    case SamplingMethod::kLogitSamples: {
      RETURN_IF_ERROR(CheckKeys(value, path, {"method", "passes", "rank"}));
      ASSIGN_OR_RETURN(sampling.rank, ReadCount(value["rank"], KeyPath(path, "rank")));
      break;
    }
    case SamplingMethod::kMcDropout: {
      RETURN_IF_ERROR(CheckKeys(value, path, {"method", "passes", "dropout"}));
      ASSIGN_OR_RETURN(sampling.dropout, ReadFloat(value["dropout"], KeyPath(path, "dropout")));
      break;
    }
    case SamplingMethod::kAugmentation: {
      RETURN_IF_ERROR(CheckKeys(value, path, {"method", "views"}));
      const std::string views = KeyPath(path, "views");
      RETURN_IF_ERROR(CheckArray(value["views"], views, kMinViews, kMaxViews));
      for (size_t i = 0; i < value["views"].size(); ++i) {
        ASSIGN_OR_RETURN(const AugmentedView view, ViewFromJson(value["views"][i], ItemPath(views, i)));
        sampling.views.push_back(view);
      }
      break;
    }
  }
  if (HasPasses(sampling.method)) {
    ASSIGN_OR_RETURN(sampling.passes, ReadCount(value["passes"], KeyPath(path, "passes")));
  }
  return sampling;
}

absl::Status CheckSampling(const ModelSpec& spec) {
  const Sampling& sampling = spec.sampling;
  if (sampling.method == SamplingMethod::kNone) return absl::OkStatus();
  const bool is_of_student =
      sampling.method == SamplingMethod::kLogitSamples || sampling.method == SamplingMethod::kDirichlet;
  const ModelKind wanted = is_of_student ? ModelKind::kStudent : ModelKind::kSingle;
  if (spec.kind != wanted) {
    return JsonError("sampling.method", absl::StrCat(SamplingMethodName(sampling.method), " is for kind ",
                                                     ModelKindName(wanted), ", not for ", ModelKindName(spec.kind)));
  }
  switch (sampling.method) {
    case SamplingMethod::kMcDropout:
      return CheckDropout(sampling);
    case SamplingMethod::kAugmentation:
      return CheckViews(sampling);
    case SamplingMethod::kLogitSamples:
      return CheckRank(sampling);
    case SamplingMethod::kWeightSamples:
    case SamplingMethod::kRankOne:
      return CheckPasses(sampling);
    case SamplingMethod::kNone:
    case SamplingMethod::kDirichlet:
      break;
  }
  return absl::OkStatus();
}

}  // namespace candor
