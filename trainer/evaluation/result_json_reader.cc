// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/class_json.h"
#include "core/model/strict_json.h"
#include "trainer/evaluation/result_fields-inl.h"
#include "trainer/evaluation/result_json.h"

namespace candor {
namespace result_json {
namespace {

using nlohmann::json;

constexpr size_t kAnySize = std::numeric_limits<size_t>::max();

// Reads members of one object; after the first error nothing more is read. Finish() also refuses unknown keys.
class Reader {
 public:
  Reader(const json& value, std::string path) : value_(value), path_(std::move(path)) {
    if (!value_.is_object()) status_ = JsonError(path_, "must be an object");
  }

  template <typename T>
  void Field(const char* key, T* value) {
    if (!Find(key)) return;
    status_ = FromJson(value_.at(key), KeyPath(path_, key), value);
  }
  template <typename T>
  void Derived(const char* key, const T& /*value*/) {
    Find(key);
  }
  absl::Status Finish() {
    if (!status_.ok()) return status_;
    return CheckKeys(value_, path_, keys_);
  }

 private:
  bool Find(const char* key) {
    keys_.push_back(key);
    if (status_.ok() && !value_.contains(key)) status_ = JsonError(KeyPath(path_, key), "missing");
    return status_.ok();
  }

  static absl::Status FromJson(const json& value, const std::string& path, double* number) {
    if (!value.is_number() && !value.is_null()) return JsonError(path, "must be a number or null");
    *number = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    return absl::OkStatus();
  }
  static absl::Status FromJson(const json& value, const std::string& path, int64_t* number) {
    ASSIGN_OR_RETURN(*number, ReadInteger(value, path, 0, std::numeric_limits<int64_t>::max()));
    return absl::OkStatus();
  }
  static absl::Status FromJson(const json& value, const std::string& path, int* number) {
    ASSIGN_OR_RETURN(const int64_t wide, ReadInteger(value, path, 0, std::numeric_limits<int>::max()));
    *number = static_cast<int>(wide);
    return absl::OkStatus();
  }
  static absl::Status FromJson(const json& value, const std::string& path, std::string* text) {
    ASSIGN_OR_RETURN(*text, ReadString(value, path));
    return absl::OkStatus();
  }
  static absl::Status FromJson(const json& value, const std::string& path, UncertaintyKind* kind) {
    ASSIGN_OR_RETURN(const std::string name, ReadString(value, path));
    const auto parsed = ParseUncertaintyKind(ForMessage(name));
    if (!parsed.ok()) return JsonError(path, parsed.status().message());
    *kind = *parsed;
    return absl::OkStatus();
  }
  static absl::Status FromJson(const json& value, const std::string& path, ModelKind* kind) {
    ASSIGN_OR_RETURN(const std::string name, ReadString(value, path));
    const auto parsed = ParseModelKind(ForMessage(name));
    if (!parsed.ok()) return JsonError(path, parsed.status().message());
    *kind = *parsed;
    return absl::OkStatus();
  }
  static absl::Status FromJson(const json& value, const std::string& path, CurvePoint* point) {
    RETURN_IF_ERROR(CheckArray(value, path, 2, 2));
    RETURN_IF_ERROR(FromJson(value[0], ItemPath(path, 0), &point->x));
    return FromJson(value[1], ItemPath(path, 1), &point->y);
  }
  static absl::Status FromJson(const json& value, const std::string& path, std::vector<ClassSpec>* classes) {
    ASSIGN_OR_RETURN(*classes, ClassesFromJson(value, path));
    return absl::OkStatus();
  }
  template <typename T>
  static absl::Status FromJson(const json& value, const std::string& path, std::optional<T>* optional) {
    if (value.is_null()) return absl::OkStatus();
    return FromJson(value, path, &optional->emplace());
  }
  template <typename T>
  static absl::Status FromJson(const json& value, const std::string& path, std::vector<T>* values) {
    RETURN_IF_ERROR(CheckArray(value, path, 0, kAnySize));
    for (size_t i = 0; i < value.size(); ++i) {
      RETURN_IF_ERROR(FromJson(value[i], ItemPath(path, i), &values->emplace_back()));
    }
    return absl::OkStatus();
  }
  template <typename T>
  static absl::Status FromJson(const json& value, const std::string& path, T* figures) {
    Reader reader(value, path);
    Fields(reader, *figures);
    return reader.Finish();
  }

  const json& value_;
  const std::string path_;
  std::vector<std::string> keys_;
  absl::Status status_;
};

// The value of a member that is read before or apart from the rest.
absl::StatusOr<const json*> Member(const json& document, const char* key) {
  if (!document.is_object()) return JsonError("", "must be an object");
  if (!document.contains(key)) return JsonError(key, "missing");
  return &document.at(key);
}

absl::Status ReadKinds(const json& value, const std::vector<UncertaintyKind>& kinds, std::vector<KindFigures>* list) {
  std::vector<std::string> names;
  for (UncertaintyKind kind : kinds) names.emplace_back(UncertaintyKindName(kind));
  RETURN_IF_ERROR(CheckKeys(value, "kinds", names));
  for (size_t i = 0; i < kinds.size(); ++i) {
    Reader reader(value.at(names[i]), KeyPath("kinds", names[i]));
    KindFigures& figures = list->emplace_back();
    figures.kind = kinds[i];
    Fields(reader, figures);
    RETURN_IF_ERROR(reader.Finish());
  }
  return absl::OkStatus();
}

absl::Status CheckSize(const std::string& path, size_t size, size_t wanted) {
  if (size == wanted) return absl::OkStatus();
  return JsonError(path, absl::StrCat("must have ", wanted, " items, has ", size));
}

// Readers index these lists by class, or several side by side.
absl::Status CheckSizes(const EvaluationResult& result) {
  const size_t classes = result.classes.size();
  RETURN_IF_ERROR(CheckSize("class_iou", result.class_iou.size(), classes));
  RETURN_IF_ERROR(CheckSize("confusion", result.confusion.size(), classes));
  for (size_t i = 0; i < classes; ++i) {
    RETURN_IF_ERROR(CheckSize(ItemPath("confusion", i), result.confusion[i].size(), classes));
  }
  for (const KindFigures& kind : result.kinds) {
    const std::string path = KeyPath("kinds", UncertaintyKindName(kind.kind));
    const std::string rejection = KeyPath(path, "rejection");
    const size_t steps = kind.rejection.dropped.size();
    RETURN_IF_ERROR(CheckSize(KeyPath(path, "class_pooled"), kind.class_pooled.size(), classes));
    RETURN_IF_ERROR(CheckSize(KeyPath(path, "class_batch"), kind.class_batch.size(), classes));
    RETURN_IF_ERROR(CheckSize(KeyPath(rejection, "miou_present"), kind.rejection.miou_present.size(), steps));
    RETURN_IF_ERROR(CheckSize(KeyPath(rejection, "miou_all"), kind.rejection.miou_all.size(), steps));
    RETURN_IF_ERROR(CheckSize(KeyPath(rejection, "accuracy"), kind.rejection.accuracy.size(), steps));
  }
  for (size_t i = 0; i < result.fidelity.size(); ++i) {
    RETURN_IF_ERROR(CheckSize(KeyPath(ItemPath("fidelity", i), "class_difference"),
                              result.fidelity[i].class_difference.size(), classes));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace result_json

absl::StatusOr<EvaluationResult> ResultFromJson(absl::string_view text) {
  ASSIGN_OR_RETURN(const nlohmann::json document, ParseStrictJson(text, /*max_depth=*/8));
  // First: a newer format may have other keys.
  ASSIGN_OR_RETURN(const nlohmann::json* version_value, result_json::Member(document, "format_version"));
  ASSIGN_OR_RETURN(const int64_t version,
                   ReadInteger(*version_value, "format_version", 1, std::numeric_limits<int64_t>::max()));
  if (version != result_json::kFormatVersion) {
    return JsonError("format_version", absl::StrCat("must be ", result_json::kFormatVersion,
                                                    ", the only version this build reads, is ", version));
  }
  ASSIGN_OR_RETURN(const nlohmann::json* kinds_value, result_json::Member(document, "kinds"));

  EvaluationResult result;
  std::vector<UncertaintyKind> kinds;
  result_json::Reader reader(document, "");
  reader.Derived("format_version", 0);
  result_json::TopFields(reader, result, KindFigures(), kinds);
  reader.Derived("kinds", 0);
  reader.Derived("definitions", 0);
  RETURN_IF_ERROR(reader.Finish());
  RETURN_IF_ERROR(result_json::ReadKinds(*kinds_value, kinds, &result.kinds));
  RETURN_IF_ERROR(result_json::CheckSizes(result));
  return result;
}

}  // namespace candor
