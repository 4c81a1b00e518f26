// SPDX-License-Identifier: Apache-2.0
#include "core/model/calibration_json.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/kind_json.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr float kMaxTemperature = 100;
constexpr double kSumTolerance = 1e-3;    // of 64 rounded shares
constexpr float kRangeTolerance = 1e-5f;  // another libm's logarithm may differ in the last place

ordered_json VerdictToJson(const Calibration::Verdict& verdict) {
  return {{"kind", std::string(UncertaintyKindName(verdict.kind))},
          {"accept_max", ShortDouble(verdict.accept_max)},
          {"review_max", ShortDouble(verdict.review_max)},
          {"error_rate", ShortDouble(verdict.error_rate)},
          {"reject_error_rate", ShortDouble(verdict.reject_error_rate)}};
}

ordered_json ReferenceToJson(const Calibration::Reference& reference) {
  ordered_json histogram = ordered_json::array();
  for (const float share : reference.histogram) histogram.push_back(ShortDouble(share));
  return {{"kind", std::string(UncertaintyKindName(reference.kind))}, {"histogram", std::move(histogram)}};
}

absl::StatusOr<Calibration::Verdict> VerdictFromJson(const json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckKeys(value, path, {"kind", "accept_max", "review_max", "error_rate", "reject_error_rate"}));
  Calibration::Verdict verdict;
  ASSIGN_OR_RETURN(verdict.kind, ReadKind(value["kind"], KeyPath(path, "kind")));
  ASSIGN_OR_RETURN(verdict.accept_max, ReadFloat(value["accept_max"], KeyPath(path, "accept_max")));
  ASSIGN_OR_RETURN(verdict.review_max, ReadFloat(value["review_max"], KeyPath(path, "review_max")));
  ASSIGN_OR_RETURN(verdict.error_rate, ReadFloat(value["error_rate"], KeyPath(path, "error_rate")));
  ASSIGN_OR_RETURN(verdict.reject_error_rate,
                   ReadFloat(value["reject_error_rate"], KeyPath(path, "reject_error_rate")));
  return verdict;
}

absl::StatusOr<Calibration::Reference> ReferenceFromJson(const json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckKeys(value, path, {"kind", "histogram"}));
  Calibration::Reference reference;
  ASSIGN_OR_RETURN(reference.kind, ReadKind(value["kind"], KeyPath(path, "kind")));
  const std::string histogram = KeyPath(path, "histogram");
  RETURN_IF_ERROR(CheckArray(value["histogram"], histogram, kReferenceBins, kReferenceBins));
  for (size_t i = 0; i < kReferenceBins; ++i) {
    ASSIGN_OR_RETURN(const float share, ReadFloat(value["histogram"][i], ItemPath(histogram, i)));
    reference.histogram.push_back(share);
  }
  return reference;
}

ordered_json RangesToJson(const std::vector<ValueRange>& ranges) {
  ordered_json value = ordered_json::array();
  for (const ValueRange& range : ranges) value.push_back({ShortDouble(range.least), ShortDouble(range.largest)});
  return value;
}

absl::StatusOr<std::vector<ValueRange>> RangesFromJson(const json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckArray(value, path, kEncoderMaps, kEncoderMaps));
  std::vector<ValueRange> ranges(kEncoderMaps);
  for (size_t i = 0; i < kEncoderMaps; ++i) {
    const std::string item = ItemPath(path, i);
    RETURN_IF_ERROR(CheckArray(value[i], item, 2, 2));
    ASSIGN_OR_RETURN(ranges[i].least, ReadFloat(value[i][0], ItemPath(item, 0)));
    ASSIGN_OR_RETURN(ranges[i].largest, ReadFloat(value[i][1], ItemPath(item, 1)));
  }
  return ranges;
}

absl::Status CheckRanges(const std::vector<ValueRange>& ranges) {
  const std::string path = "calibration.encoder_ranges";
  if (!ranges.empty() && ranges.size() != kEncoderMaps) {
    return JsonError(path, absl::StrCat("must have ", kEncoderMaps, " items, has ", ranges.size()));
  }
  for (size_t i = 0; i < ranges.size(); ++i) {
    const ValueRange& range = ranges[i];
    if (std::isfinite(range.least) && std::isfinite(range.largest) && range.least <= range.largest) continue;
    return JsonError(ItemPath(path, i), absl::StrCat("must be [least, largest], both finite, is [", range.least, ", ",
                                                     range.largest, "]"));
  }
  return absl::OkStatus();
}

absl::Status CheckKindIsGiven(const ModelSpec& spec, UncertaintyKind kind, const std::string& path) {
  if (std::find(spec.uncertainty.begin(), spec.uncertainty.end(), kind) != spec.uncertainty.end()) {
    return absl::OkStatus();
  }
  return JsonError(path, absl::StrCat("must be a kind that uncertainty lists, is ", UncertaintyKindName(kind)));
}

absl::Status CheckVerdict(const ModelSpec& spec, const Calibration::Verdict& verdict) {
  RETURN_IF_ERROR(CheckKindIsGiven(spec, verdict.kind, "calibration.verdict.kind"));
  if (!(verdict.accept_max >= 0)) {  // NaN too, here and below
    return JsonError("calibration.verdict.accept_max", absl::StrCat("must be at least 0, is ", verdict.accept_max));
  }
  const float range_max = UncertaintyKindMax(verdict.kind, spec.class_count());
  if (!(verdict.review_max >= verdict.accept_max && verdict.review_max <= range_max + kRangeTolerance)) {
    return JsonError("calibration.verdict.review_max",
                     absl::StrCat("must be in [accept_max, range_max], here [", verdict.accept_max, ", ", range_max,
                                  "], is ", verdict.review_max));
  }
  if (!(verdict.error_rate > 0 && verdict.error_rate < 1)) {
    return JsonError("calibration.verdict.error_rate", absl::StrCat("must be in (0, 1), is ", verdict.error_rate));
  }
  if (!(verdict.reject_error_rate >= verdict.error_rate && verdict.reject_error_rate < 1)) {
    return JsonError(
        "calibration.verdict.reject_error_rate",
        absl::StrCat("must be in [error_rate, 1), here [", verdict.error_rate, ", 1), is ", verdict.reject_error_rate));
  }
  return absl::OkStatus();
}

absl::Status CheckReference(const ModelSpec& spec, const Calibration::Reference& reference) {
  RETURN_IF_ERROR(CheckKindIsGiven(spec, reference.kind, "calibration.reference.kind"));
  const std::string path = "calibration.reference.histogram";
  if (reference.histogram.size() != kReferenceBins) {
    return JsonError(path, absl::StrCat("must have ", kReferenceBins, " items, has ", reference.histogram.size()));
  }
  double sum = 0;
  for (size_t i = 0; i < kReferenceBins; ++i) {
    const float share = reference.histogram[i];
    if (!(share >= 0)) return JsonError(ItemPath(path, i), absl::StrCat("must be at least 0, is ", share));
    sum += share;
  }
  if (!(std::abs(sum - 1) <= kSumTolerance)) {
    return JsonError(path, absl::StrCat("must add up to 1 within ", kSumTolerance, ", adds up to ", sum));
  }
  return absl::OkStatus();
}

}  // namespace

ordered_json CalibrationToJson(const std::optional<Calibration>& calibration) {
  if (!calibration.has_value()) return nullptr;
  ordered_json value = {{"data", calibration->data}, {"temperature", ShortDouble(calibration->temperature)}};
  value["verdict"] = calibration->verdict.has_value() ? VerdictToJson(*calibration->verdict) : ordered_json(nullptr);
  value["reference"] =
      calibration->reference.has_value() ? ReferenceToJson(*calibration->reference) : ordered_json(nullptr);
  if (!calibration->encoder_ranges.empty()) value["encoder_ranges"] = RangesToJson(calibration->encoder_ranges);
  return value;
}

absl::StatusOr<std::optional<Calibration>> CalibrationFromJson(const json& value, const std::string& path) {
  if (value.is_null()) return std::nullopt;
  std::vector<std::string> keys = {"data", "temperature", "verdict", "reference"};
  if (value.contains("encoder_ranges")) keys.emplace_back("encoder_ranges");
  RETURN_IF_ERROR(CheckKeys(value, path, keys));
  Calibration calibration;
  ASSIGN_OR_RETURN(calibration.data, ReadString(value["data"], KeyPath(path, "data")));
  ASSIGN_OR_RETURN(calibration.temperature, ReadFloat(value["temperature"], KeyPath(path, "temperature")));
  if (!value["verdict"].is_null()) {
    ASSIGN_OR_RETURN(calibration.verdict, VerdictFromJson(value["verdict"], KeyPath(path, "verdict")));
  }
  if (!value["reference"].is_null()) {
    ASSIGN_OR_RETURN(calibration.reference, ReferenceFromJson(value["reference"], KeyPath(path, "reference")));
  }
  if (value.contains("encoder_ranges")) {
    ASSIGN_OR_RETURN(calibration.encoder_ranges,
                     RangesFromJson(value["encoder_ranges"], KeyPath(path, "encoder_ranges")));
  }
  return calibration;
}

absl::Status CheckCalibration(const ModelSpec& spec) {
  if (!spec.calibration.has_value()) return absl::OkStatus();
  const Calibration& calibration = *spec.calibration;
  if (!IsUtf8(calibration.data)) return JsonError("calibration.data", "must be UTF-8");
  if (!(calibration.temperature > 0 && calibration.temperature <= kMaxTemperature)) {  // NaN too
    return JsonError("calibration.temperature",
                     absl::StrCat("must be in (0, ", kMaxTemperature, "], is ", calibration.temperature));
  }
  if (calibration.verdict.has_value()) RETURN_IF_ERROR(CheckVerdict(spec, *calibration.verdict));
  if (calibration.reference.has_value()) RETURN_IF_ERROR(CheckReference(spec, *calibration.reference));
  return CheckRanges(calibration.encoder_ranges);
}

}  // namespace candor
