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

absl::StatusOr<AugmentedView> ViewFromJson(const json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckKeys(value, path, {"scale", "flip"}));
  AugmentedView view;
  ASSIGN_OR_RETURN(view.scale, ReadFloat(value["scale"], KeyPath(path, "scale")));
  ASSIGN_OR_RETURN(view.flip, ReadBool(value["flip"], KeyPath(path, "flip")));
  return view;
}

absl::Status CheckDropout(const Sampling& sampling) {
  if (sampling.passes < kMinPasses || sampling.passes > kMaxPasses) {
    return JsonError("sampling.passes",
                     absl::StrCat("must be in [", kMinPasses, ", ", kMaxPasses, "], is ", sampling.passes));
  }
  if (!(sampling.dropout > 0 && sampling.dropout < 1)) {  // NaN too
    return JsonError("sampling.dropout", absl::StrCat("must be in (0, 1), is ", sampling.dropout));
  }
  return absl::OkStatus();
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
  }
  return "unknown";
}

absl::StatusOr<SamplingMethod> ParseSamplingMethod(absl::string_view name) {
  for (SamplingMethod method : {SamplingMethod::kNone, SamplingMethod::kMcDropout, SamplingMethod::kAugmentation}) {
    if (SamplingMethodName(method) == name) return method;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("sampling method: must be none, mc_dropout or augmentation, is \"", ForMessage(name), "\""));
}

ordered_json SamplingToJson(const Sampling& sampling) {
  ordered_json value = {{"method", std::string(SamplingMethodName(sampling.method))}};
  if (sampling.method == SamplingMethod::kMcDropout) {
    value["passes"] = sampling.passes;
    value["dropout"] = ShortDouble(sampling.dropout);
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
      RETURN_IF_ERROR(CheckKeys(value, path, {"method"}));
      break;
    case SamplingMethod::kMcDropout: {
      RETURN_IF_ERROR(CheckKeys(value, path, {"method", "passes", "dropout"}));
      ASSIGN_OR_RETURN(const int64_t passes,
                       ReadInteger(value["passes"], KeyPath(path, "passes"), 0, std::numeric_limits<int>::max()));
      sampling.passes = static_cast<int>(passes);
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
  return sampling;
}

absl::Status CheckSampling(const ModelSpec& spec) {
  const Sampling& sampling = spec.sampling;
  if (sampling.method == SamplingMethod::kNone) return absl::OkStatus();
  if (spec.kind != ModelKind::kSingle) {
    return JsonError("sampling.method", absl::StrCat("must be none for kind ", ModelKindName(spec.kind), ", is ",
                                                     SamplingMethodName(sampling.method)));
  }
  return sampling.method == SamplingMethod::kMcDropout ? CheckDropout(sampling) : CheckViews(sampling);
}

}  // namespace candor
