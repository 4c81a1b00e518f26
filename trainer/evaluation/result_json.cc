// SPDX-License-Identifier: Apache-2.0
//
// Writing. Reading is in result_json_reader.cc.
#include "trainer/evaluation/result_json.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/class_json.h"
#include "nlohmann/json.hpp"
#include "trainer/evaluation/metric_definitions.h"
#include "trainer/evaluation/result_fields-inl.h"

namespace candor {
namespace result_json {
namespace {

using nlohmann::ordered_json;

class Writer {
 public:
  template <typename T>
  void Field(const char* key, T* value) {
    object_[key] = ToJson(*value);
  }
  template <typename T>
  void Derived(const char* key, T value) {
    object_[key] = ToJson(value);
  }
  ordered_json Take() { return std::move(object_); }

 private:
  static ordered_json ToJson(double& value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }
  static ordered_json ToJson(int64_t& value) { return value; }
  static ordered_json ToJson(int& value) { return value; }
  static ordered_json ToJson(std::string& value) { return value; }
  static ordered_json ToJson(UncertaintyKind& kind) { return std::string(UncertaintyKindName(kind)); }
  static ordered_json ToJson(ModelKind& kind) { return std::string(ModelKindName(kind)); }
  static ordered_json ToJson(CurvePoint& point) { return ordered_json::array({ToJson(point.x), ToJson(point.y)}); }
  static ordered_json ToJson(std::vector<ClassSpec>& classes) { return ClassesToJson(classes); }
  template <typename T>
  static ordered_json ToJson(std::optional<T>& value) {
    return value.has_value() ? ToJson(*value) : ordered_json();
  }
  template <typename T>
  static ordered_json ToJson(std::vector<T>& values) {
    ordered_json list = ordered_json::array();
    for (T& value : values) list.push_back(ToJson(value));
    return list;
  }
  template <typename T>
  static ordered_json ToJson(T& figures) {
    Writer writer;
    Fields(writer, figures);
    return writer.Take();
  }

  ordered_json object_ = ordered_json::object();
};

// What the plain keys say of a model without uncertainty.
KindFigures NoFigures() {
  KindFigures figures;
  figures.munc_pooled = figures.errors.auroc = std::numeric_limits<double>::quiet_NaN();
  return figures;
}

}  // namespace
}  // namespace result_json

std::string ResultToJson(const EvaluationResult& result) {
  EvaluationResult copy = result;  // Fields() takes what it may also read into
  std::vector<UncertaintyKind> kinds;
  for (const KindFigures& figures : copy.kinds) kinds.push_back(figures.kind);

  result_json::Writer top;
  int version = result_json::kFormatVersion;
  top.Field("format_version", &version);
  result_json::TopFields(top, copy, copy.kinds.empty() ? result_json::NoFigures() : copy.kinds.front(), kinds);
  nlohmann::ordered_json document = top.Take();
  document["kinds"] = nlohmann::ordered_json::object();
  for (KindFigures& figures : copy.kinds) {
    result_json::Writer kind;
    result_json::Fields(kind, figures);
    document["kinds"][std::string(UncertaintyKindName(figures.kind))] = kind.Take();
  }
  document["definitions"] = nlohmann::ordered_json::object();
  for (const MetricDefinition& metric : MetricDefinitions()) {
    document["definitions"][std::string(metric.name)] = std::string(metric.definition);
  }
  // `replace`: a file name that is not UTF-8 must not throw.
  return absl::StrCat(document.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), "\n");
}

}  // namespace candor
