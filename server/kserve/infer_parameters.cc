// SPDX-License-Identifier: Apache-2.0
#include "server/kserve/infer_parameters.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/model_codec.h"

namespace candor {
namespace {

using inference::InferParameter;

constexpr char kKnownKeys[] =
    "priority, timeout, triton_enable_empty_final_response, uncertainty_datatype, uncertainty_kind, "
    "uncertainty_threshold";
constexpr int64_t kLongestTimeoutUs = int64_t{24} * 3600 * 1000000;

// A client's key as it may stand in a message.
std::string PathOf(absl::string_view owner, absl::string_view key) {
  return absl::StrCat(owner, "parameters[\"", absl::CHexEscape(key.substr(0, 64)), "\"]");
}

absl::Status WrongType(absl::string_view path, absl::string_view type) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": must be ", type));
}

absl::StatusOr<int64_t> IntegerOf(absl::string_view path, const InferParameter& parameter, int64_t most) {
  int64_t value = 0;
  if (parameter.parameter_choice_case() == InferParameter::kInt64Param) {
    value = parameter.int64_param();
  } else if (parameter.parameter_choice_case() == InferParameter::kUint64Param) {
    if (parameter.uint64_param() > static_cast<uint64_t>(most)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": must be in [0, ", most, "], got ", parameter.uint64_param()));
    }
    value = static_cast<int64_t>(parameter.uint64_param());
  } else {
    return WrongType(path, "an int64 or uint64");
  }
  if (value >= 0 && value <= most) return value;
  return absl::InvalidArgumentError(absl::StrCat(path, ": must be in [0, ", most, "], got ", value));
}

absl::StatusOr<std::string> TextOf(absl::string_view path, const InferParameter& parameter) {
  if (parameter.parameter_choice_case() == InferParameter::kStringParam) return parameter.string_param();
  return WrongType(path, "a string");
}

// A string is for clients that have no double.
absl::StatusOr<float> NumberOf(absl::string_view path, const InferParameter& parameter) {
  double value = 0;
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kDoubleParam:
      value = parameter.double_param();
      break;
    case InferParameter::kInt64Param:
      value = static_cast<double>(parameter.int64_param());
      break;
    case InferParameter::kStringParam:
      if (absl::SimpleAtod(parameter.string_param(), &value)) break;
      [[fallthrough]];
    default:
      return WrongType(path, "a double, an int64, or a number as a string");
  }
  if (value >= 0 && value <= std::numeric_limits<float>::max()) return static_cast<float>(value);
  return absl::InvalidArgumentError(absl::StrCat(path, ": must be finite and >= 0, got ", value));
}

absl::Status ReadRequestParameter(const std::string& key, const InferParameter& value, InferRequestParameters* result) {
  const std::string path = PathOf("", key);
  if (key == "priority") {
    // As Triton counts: 1 goes first, 0 is the default.
    constexpr v1::Priority kPriorities[] = {v1::PRIORITY_NORMAL, v1::PRIORITY_HIGH, v1::PRIORITY_NORMAL,
                                            v1::PRIORITY_LOW};
    ASSIGN_OR_RETURN(const int64_t priority, IntegerOf(path, value, 3));
    result->priority = kPriorities[priority];
  } else if (key == "timeout") {
    ASSIGN_OR_RETURN(const int64_t timeout_us, IntegerOf(path, value, kLongestTimeoutUs));
    if (timeout_us > 0) result->timeout = std::chrono::microseconds(timeout_us);
  } else if (key == "triton_enable_empty_final_response") {
    if (value.parameter_choice_case() != InferParameter::kBoolParam) return WrongType(path, "a bool");
  } else if (key == "uncertainty_threshold") {
    ASSIGN_OR_RETURN(result->threshold, NumberOf(path, value));
  } else if (key == "uncertainty_kind") {
    ASSIGN_OR_RETURN(const std::string name, TextOf(path, value));
    const absl::StatusOr<UncertaintyKind> kind = ParseUncertaintyKind(name.substr(0, 64));
    if (!kind.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", kind.status().message()));
    result->kind = *kind;
  } else if (key == "uncertainty_datatype") {
    ASSIGN_OR_RETURN(const std::string name, TextOf(path, value));
    result->is_half = name == "FP16";
    if (!result->is_half && name != "FP32") {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": must be FP32 or FP16, got \"", absl::CHexEscape(name.substr(0, 64)), "\""));
    }
  } else {
    return absl::InvalidArgumentError(absl::StrCat(path, ": unknown; known are ", kKnownKeys));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<InferRequestParameters> ReadRequestParameters(const InferParameters& parameters) {
  InferRequestParameters result;
  for (const auto& [key, value] : parameters) RETURN_IF_ERROR(ReadRequestParameter(key, value, &result));
  return result;
}

absl::StatusOr<std::optional<SharedTensor>> ReadSharedParameters(absl::string_view path,
                                                                 const InferParameters& parameters) {
  if (parameters.empty()) return std::nullopt;
  const std::string owner = absl::StrCat(path, ".");
  SharedTensor shared;
  bool has_size = false;
  for (const auto& [key, value] : parameters) {
    const std::string key_path = PathOf(owner, key);
    if (key == "shared_memory_region") {
      ASSIGN_OR_RETURN(shared.region, TextOf(key_path, value));
    } else if (key == "shared_memory_byte_size") {
      ASSIGN_OR_RETURN(shared.bytes, IntegerOf(key_path, value, std::numeric_limits<int64_t>::max()));
      has_size = true;
    } else if (key == "shared_memory_offset") {
      ASSIGN_OR_RETURN(shared.offset, IntegerOf(key_path, value, std::numeric_limits<int64_t>::max()));
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          key_path, ": unknown; known are shared_memory_region, shared_memory_byte_size, shared_memory_offset"));
    }
  }
  if (shared.region.empty() || !has_size) {
    return absl::InvalidArgumentError(
        absl::StrCat(owner, "parameters: shared memory needs shared_memory_region and shared_memory_byte_size"));
  }
  return shared;
}

void FillSharedParameters(const SharedTensor& shared, InferParameters* parameters) {
  (*parameters)["shared_memory_region"].set_string_param(shared.region);
  (*parameters)["shared_memory_byte_size"].set_int64_param(static_cast<int64_t>(shared.bytes));
  if (shared.offset > 0) {
    (*parameters)["shared_memory_offset"].set_int64_param(static_cast<int64_t>(shared.offset));
  }
}

void FillAnswerParameters(const v1::SegmentResponse& answer, const v1::SegmentRequest& request,
                          const std::string& suffix, InferParameters* parameters) {
  const auto set_text = [&](absl::string_view key, const std::string& text) {
    (*parameters)[absl::StrCat(key, suffix)].set_string_param(text);
  };
  const auto set_number = [&](absl::string_view key, double number) {
    (*parameters)[absl::StrCat(key, suffix)].set_double_param(number);
  };
  const auto set_us = [&](absl::string_view key, float ms) {
    (*parameters)[absl::StrCat(key, suffix)].set_int64_param(std::llround(1000.0 * static_cast<double>(ms)));
  };
  set_text("model_digest", answer.model().digest());
  (*parameters)[absl::StrCat("members", suffix)].set_int64_param(answer.members());
  const v1::UncertaintyKind asked = request.uncertainty(0).kind();
  for (const v1::UncertaintyStatistics& statistics : answer.statistics()) {
    // The model's default kind, which comes first, unless another one was asked for.
    if (asked != v1::UNCERTAINTY_KIND_UNSPECIFIED && statistics.kind() != asked) continue;
    set_text("uncertainty_kind", absl::AsciiStrToLower(v1::UncertaintyKind_Name(statistics.kind())));
    set_number("uncertainty_mean", statistics.mean());
    set_number("uncertainty_max", statistics.max());
    set_number("uncertainty_median", statistics.median());
    set_number("uncertainty_p90", statistics.p90());
    set_number("uncertainty_p99", statistics.p99());
    set_number("uncertainty_threshold", statistics.threshold());
    set_number("uncertainty_share_above_threshold", statistics.share_above_threshold());
    break;
  }
  if (answer.verdict() != v1::VERDICT_UNSPECIFIED) {
    set_text("verdict", absl::AsciiStrToLower(v1::Verdict_Name(answer.verdict())));
  }
  set_us("decode_us", answer.timing().decode_ms());
  set_us("queue_us", answer.timing().queue_ms());
  set_us("infer_us", answer.timing().infer_ms());
  set_us("encode_us", answer.timing().encode_ms());
  (*parameters)[absl::StrCat("batch_size", suffix)].set_int64_param(answer.timing().batch_size());
}

}  // namespace candor
