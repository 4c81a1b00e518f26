// SPDX-License-Identifier: Apache-2.0
//
// model.json. The shape and the types are checked here, the values in ValidateModelSpec.
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/calibration_json.h"
#include "core/model/class_json.h"
#include "core/model/group_json.h"
#include "core/model/kind_json.h"
#include "core/model/model_spec.h"
#include "core/model/sampling_json.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json ThreeToJson(const float (&values)[3]) {
  return {ShortDouble(values[0]), ShortDouble(values[1]), ShortDouble(values[2])};
}

std::string BytesToJson(const std::vector<uint8_t>& bytes) {
  return absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

absl::Status ThreeFromJson(const json& value, const std::string& path, float (&values)[3]) {
  RETURN_IF_ERROR(CheckArray(value, path, 3, 3));
  for (size_t i = 0; i < 3; ++i) {
    ASSIGN_OR_RETURN(values[i], ReadFloat(value[i], ItemPath(path, i)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> BytesFromJson(const json& value, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadString(value, path));
  std::string bytes;
  // Abseil also takes blanks and missing padding; what does not come back as it was is not base64 of ours.
  if (!absl::Base64Unescape(text, &bytes) || absl::Base64Escape(bytes) != text) {
    return JsonError(path, absl::StrCat("must be base64, is \"", ForMessage(text), "\""));
  }
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

absl::StatusOr<int64_t> ReadFormatVersion(const json& document) {
  if (!document.is_object()) return JsonError("", "must be an object");
  if (!document.contains("format_version")) return JsonError("format_version", "missing");
  ASSIGN_OR_RETURN(const int64_t version,
                   ReadInteger(document["format_version"], "format_version", 1, std::numeric_limits<int64_t>::max()));
  if (version <= ModelSpec::kFormatVersion) return version;
  return JsonError("format_version", absl::StrCat("must be at most ", ModelSpec::kFormatVersion,
                                                  ", the newest version this build reads, is ", version));
}

std::vector<std::string> KeysOfVersion(int64_t version, const json& document) {
  std::vector<std::string> keys = {"format_version", "kind",        "architecture", "width",        "classes",
                                   "normalisation",  "uncertainty", "weights",      "known_answer", "training"};
  if (version >= 2) keys.insert(keys.end(), {"learned", "sampling", "calibration"});
  for (const char* optional : {"groups", "head", "density_components", "shared_encoder"}) {
    if (version >= 2 && document.contains(optional)) keys.emplace_back(optional);
  }
  return keys;
}

absl::Status ReadNormalisation(const json& value, Normalisation* normalisation) {
  RETURN_IF_ERROR(CheckKeys(value, "normalisation", {"mean", "stddev"}));
  RETURN_IF_ERROR(ThreeFromJson(value["mean"], "normalisation.mean", normalisation->mean));
  return ThreeFromJson(value["stddev"], "normalisation.stddev", normalisation->stddev);
}

// Unit and range are for people who read the file; they follow from the kind and the class count.
absl::Status ReadUncertainty(const json& value, ModelSpec* spec) {
  RETURN_IF_ERROR(CheckArray(value, "uncertainty", 1, kAllUncertaintyKinds.size()));
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string path = ItemPath("uncertainty", i);
    RETURN_IF_ERROR(CheckKeys(value[i], path, {"kind", "unit", "range_max"}));
    ASSIGN_OR_RETURN(const UncertaintyKind kind, ReadKind(value[i]["kind"], KeyPath(path, "kind")));
    const absl::string_view name = UncertaintyKindName(kind);
    ASSIGN_OR_RETURN(const std::string unit, ReadString(value[i]["unit"], KeyPath(path, "unit")));
    if (unit != UncertaintyKindUnit(kind)) {
      return JsonError(KeyPath(path, "unit"), absl::StrCat("must be \"", UncertaintyKindUnit(kind), "\" for ", name,
                                                           ", is \"", ForMessage(unit), "\""));
    }
    ASSIGN_OR_RETURN(const float range_max, ReadFloat(value[i]["range_max"], KeyPath(path, "range_max")));
    const float wanted = UncertaintyKindMax(kind, spec->class_count());
    if (std::abs(range_max - wanted) > 1e-5f) {  // another libm's logarithm may differ in the last place
      return JsonError(KeyPath(path, "range_max"), absl::StrCat("must be ", wanted, " for ", name, " of ",
                                                                spec->class_count(), " classes, is ", range_max));
    }
    spec->uncertainty.push_back(kind);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<UncertaintyKind>> ReadLearned(const json& value) {
  RETURN_IF_ERROR(CheckArray(value, "learned", 0, kAllUncertaintyKinds.size()));
  std::vector<UncertaintyKind> learned;
  for (size_t i = 0; i < value.size(); ++i) {
    ASSIGN_OR_RETURN(const UncertaintyKind kind, ReadKind(value[i], ItemPath("learned", i)));
    learned.push_back(kind);
  }
  return learned;
}

absl::StatusOr<UncertaintyHead> ReadHead(const json& value) {
  ASSIGN_OR_RETURN(const std::string name, ReadString(value, "head"));
  const auto head = ParseUncertaintyHead(name);
  if (!head.ok()) return JsonError("head", head.status().message());
  return *head;
}

absl::Status ReadWeights(const json& value, std::vector<FileRecord>* weights) {
  RETURN_IF_ERROR(CheckArray(value, "weights", 1, std::numeric_limits<int>::max()));
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string path = ItemPath("weights", i);
    RETURN_IF_ERROR(CheckKeys(value[i], path, {"file", "bytes", "sha256"}));
    FileRecord file;
    ASSIGN_OR_RETURN(file.name, ReadString(value[i]["file"], KeyPath(path, "file")));
    ASSIGN_OR_RETURN(file.bytes,
                     ReadInteger(value[i]["bytes"], KeyPath(path, "bytes"), 0, std::numeric_limits<int64_t>::max()));
    ASSIGN_OR_RETURN(file.sha256, ReadString(value[i]["sha256"], KeyPath(path, "sha256")));
    weights->push_back(std::move(file));
  }
  return absl::OkStatus();
}

absl::Status ReadKnownAnswer(const json& value, KnownAnswer* answer) {
  RETURN_IF_ERROR(CheckKeys(value, "known_answer", {"labels", "uncertainty"}));
  ASSIGN_OR_RETURN(answer->labels, BytesFromJson(value["labels"], "known_answer.labels"));
  ASSIGN_OR_RETURN(answer->uncertainty, BytesFromJson(value["uncertainty"], "known_answer.uncertainty"));
  return absl::OkStatus();
}

}  // namespace

std::string ModelSpecToJson(const ModelSpec& spec) {
  ordered_json document;
  document["format_version"] = ModelSpec::kFormatVersion;
  document["kind"] = std::string(ModelKindName(spec.kind));
  document["architecture"] = spec.architecture;
  document["width"] = spec.width;
  document["classes"] = ClassesToJson(spec.classes);
  if (!spec.groups.empty()) document["groups"] = GroupsToJson(spec.groups);
  document["normalisation"] = {{"mean", ThreeToJson(spec.normalisation.mean)},
                               {"stddev", ThreeToJson(spec.normalisation.stddev)}};
  document["uncertainty"] = ordered_json::array();
  for (UncertaintyKind kind : spec.uncertainty) {
    document["uncertainty"].push_back({{"kind", std::string(UncertaintyKindName(kind))},
                                       {"unit", std::string(UncertaintyKindUnit(kind))},
                                       {"range_max", ShortDouble(UncertaintyKindMax(kind, spec.class_count()))}});
  }
  document["learned"] = ordered_json::array();
  for (UncertaintyKind kind : spec.learned) document["learned"].push_back(std::string(UncertaintyKindName(kind)));
  if (spec.head != UncertaintyHead::kLinear) document["head"] = std::string(UncertaintyHeadName(spec.head));
  if (spec.density_components > 0) document["density_components"] = spec.density_components;
  if (spec.is_encoder_shared) document["shared_encoder"] = true;
  document["sampling"] = SamplingToJson(spec.sampling);
  document["weights"] = ordered_json::array();
  for (const FileRecord& file : spec.weights) {
    document["weights"].push_back({{"file", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  document["known_answer"] = {{"labels", BytesToJson(spec.known_answer.labels)},
                              {"uncertainty", BytesToJson(spec.known_answer.uncertainty)}};
  document["calibration"] = CalibrationToJson(spec.calibration);
  document["training"] = spec.training;
  // `replace`: ill-formed UTF-8 must not throw here; ValidateModelSpec is what refuses it.
  return absl::StrCat(document.dump(2, ' ', false, ordered_json::error_handler_t::replace), "\n");
}

absl::StatusOr<ModelSpec> ModelSpecFromJson(absl::string_view text) {
  ASSIGN_OR_RETURN(const json document, ParseStrictJson(text, /*max_depth=*/8));
  ASSIGN_OR_RETURN(const int64_t version, ReadFormatVersion(document));  // first: a newer format may have other keys
  RETURN_IF_ERROR(CheckKeys(document, "", KeysOfVersion(version, document)));
  ModelSpec spec;
  ASSIGN_OR_RETURN(const std::string kind, ReadString(document["kind"], "kind"));
  const auto parsed_kind = ParseModelKind(kind);
  if (!parsed_kind.ok()) return JsonError("kind", parsed_kind.status().message());
  spec.kind = *parsed_kind;
  ASSIGN_OR_RETURN(spec.architecture, ReadString(document["architecture"], "architecture"));
  ASSIGN_OR_RETURN(const int64_t width, ReadInteger(document["width"], "width", 0, std::numeric_limits<int>::max()));
  spec.width = static_cast<int>(width);
  ASSIGN_OR_RETURN(spec.classes, ClassesFromJson(document["classes"], "classes"));
  RETURN_IF_ERROR(ReadNormalisation(document["normalisation"], &spec.normalisation));
  RETURN_IF_ERROR(ReadUncertainty(document["uncertainty"], &spec));
  RETURN_IF_ERROR(ReadWeights(document["weights"], &spec.weights));
  RETURN_IF_ERROR(ReadKnownAnswer(document["known_answer"], &spec.known_answer));
  ASSIGN_OR_RETURN(spec.training, ReadString(document["training"], "training"));
  if (version >= 2) {
    ASSIGN_OR_RETURN(spec.learned, ReadLearned(document["learned"]));
    if (document.contains("head")) {
      ASSIGN_OR_RETURN(spec.head, ReadHead(document["head"]));
    }
    if (document.contains("density_components")) {
      ASSIGN_OR_RETURN(const int64_t components, ReadInteger(document["density_components"], "density_components", 0,
                                                             std::numeric_limits<int>::max()));
      spec.density_components = static_cast<int>(components);
    }
    if (document.contains("shared_encoder")) {
      ASSIGN_OR_RETURN(spec.is_encoder_shared, ReadBool(document["shared_encoder"], "shared_encoder"));
    }
    ASSIGN_OR_RETURN(spec.sampling, SamplingFromJson(document["sampling"], "sampling"));
    if (document.contains("groups")) {
      ASSIGN_OR_RETURN(spec.groups, GroupsFromJson(document["groups"], "groups"));
    }
    ASSIGN_OR_RETURN(spec.calibration, CalibrationFromJson(document["calibration"], "calibration"));
  } else if (spec.kind == ModelKind::kStudent) {
    spec.learned = {UncertaintyKind::kPredictiveStddev};
  }
  RETURN_IF_ERROR(ValidateModelSpec(spec));
  return spec;
}

}  // namespace candor
