// SPDX-License-Identifier: Apache-2.0
//
// Names, aliases and the default model.
#include "server/model_registry.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"

namespace candor {
namespace {

// A client's string in a message: short, printable.
std::string Quote(absl::string_view name) {
  constexpr size_t kLongest = 64;
  const bool is_long = name.size() > kLongest;
  return absl::StrCat("\"", absl::CHexEscape(name.substr(0, kLongest)), is_long ? "...\"" : "\"");
}

constexpr char kDefaultAlias[] = "default";

bool Samples(const ModelNaming& model) { return model.kind == ModelKind::kSingle && model.predictions >= 2; }

bool CanBe(absl::string_view role, const ModelNaming& model) {
  return role == kStudentAlias ? model.kind == ModelKind::kStudent
                               : model.kind == ModelKind::kEnsemble || Samples(model);
}

absl::Status CheckAliasFitsKind(const std::string& field, absl::string_view alias, const ModelNaming& model) {
  const bool is_role = alias == kStudentAlias || alias == kTeacherAlias;
  if (!is_role || CanBe(alias, model)) return absl::OkStatus();
  const absl::string_view rule = alias == kStudentAlias ? "student" : "ensemble, or sample several predictions";
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", Quote(alias), " must be a model of kind ", rule,
                                                 ", this one is of kind ", ModelKindName(model.kind)));
}

// Indices of the models that may get `role` by themselves: an ensemble comes before a network that samples.
std::vector<int> Candidates(const std::vector<ModelNaming>& models, absl::string_view role) {
  std::vector<int> result;
  bool has_ensemble = false;
  for (size_t i = 0; i < models.size(); ++i) {
    if (!CanBe(role, models[i])) continue;
    result.push_back(static_cast<int>(i));
    has_ensemble = has_ensemble || models[i].kind == ModelKind::kEnsemble;
  }
  const auto samples = [&models](int i) { return Samples(models[static_cast<size_t>(i)]); };
  if (has_ensemble) result.erase(std::remove_if(result.begin(), result.end(), samples), result.end());
  return result;
}

}  // namespace

absl::Status ModelNames::AddName(const std::string& field, const std::string& name, int index) {
  if (name.empty()) return absl::InvalidArgumentError(absl::StrCat(field, ": must not be empty"));
  const auto [entry, is_new] = index_by_name_.emplace(name, index);
  if (is_new || entry->second == index) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", Quote(name), " already means models[", entry->second,
                                                 "] (", names_[static_cast<size_t>(entry->second)],
                                                 "); each name must mean one model"));
}

absl::Status ModelNames::AddRoleAlias(const std::vector<ModelNaming>& models, const std::string& alias) {
  const std::vector<int> candidates = Candidates(models, alias);
  if (candidates.empty()) return absl::OkStatus();
  const auto holder = index_by_name_.find(alias);
  if (holder != index_by_name_.end() && CanBe(alias, models[static_cast<size_t>(holder->second)])) {
    return absl::OkStatus();
  }
  if (candidates.size() > 1) {
    const auto append_name = [&models](std::string* out, int i) { out->append(models[static_cast<size_t>(i)].name); };
    const ModelNaming& first = models[static_cast<size_t>(candidates.front())];
    return absl::InvalidArgumentError(absl::StrCat(
        "models: ", candidates.size(), " models ",
        Samples(first) ? "sample predictions" : absl::StrCat("are of kind ", ModelKindName(first.kind)), " (",
        absl::StrJoin(candidates, ", ", append_name), "); one of them must have the alias \"", alias, "\""));
  }
  return AddName(absl::StrCat("models[", candidates.front(), "]"), alias, candidates.front());
}

absl::StatusOr<ModelNames> ModelNames::Resolve(const std::vector<ModelNaming>& models,
                                               absl::string_view default_model) {
  if (models.empty()) return absl::InvalidArgumentError("models: at least one is needed");
  ModelNames result;
  for (const ModelNaming& model : models) result.names_.push_back(model.name);
  // All names come before all aliases, so that an alias cannot take another model's name.
  for (size_t i = 0; i < models.size(); ++i) {
    RETURN_IF_ERROR(result.AddName(absl::StrCat("models[", i, "].bundle"), models[i].name, static_cast<int>(i)));
  }
  for (size_t i = 0; i < models.size(); ++i) {
    for (size_t j = 0; j < models[i].aliases.size(); ++j) {
      const std::string field = absl::StrCat("models[", i, "].aliases[", j, "]");
      RETURN_IF_ERROR(CheckAliasFitsKind(field, models[i].aliases[j], models[i]));
      RETURN_IF_ERROR(result.AddName(field, models[i].aliases[j], static_cast<int>(i)));
    }
  }
  RETURN_IF_ERROR(result.AddRoleAlias(models, kStudentAlias));
  RETURN_IF_ERROR(result.AddRoleAlias(models, kTeacherAlias));

  result.aliases_.resize(models.size());
  for (const auto& [name, index] : result.index_by_name_) {
    const auto i = static_cast<size_t>(index);
    if (name != models[i].name) result.aliases_[i].push_back(name);
  }
  if (!default_model.empty()) {
    absl::StatusOr<int> index = result.Find(default_model);
    if (!index.ok()) return absl::InvalidArgumentError(absl::StrCat("default_model: ", index.status().message()));
    result.default_index_ = *index;
  } else if (absl::StatusOr<int> student = result.Find(kStudentAlias); student.ok()) {
    result.default_index_ = *student;
  }
  return result;
}

absl::StatusOr<int> ModelNames::Find(absl::string_view name) const {
  if (name.empty()) return default_index_;
  const auto found = index_by_name_.find(name);
  if (found != index_by_name_.end()) return found->second;
  if (name == kDefaultAlias) return default_index_;
  std::vector<std::string> sorted = names_;
  std::sort(sorted.begin(), sorted.end());
  return absl::NotFoundError(
      absl::StrCat("no model is called ", Quote(name), "; loaded are ", absl::StrJoin(sorted, ", ")));
}

absl::StatusOr<std::unique_ptr<ModelRegistry>> ModelRegistry::Create(std::vector<LoadedModel> models,
                                                                     absl::string_view default_model) {
  std::vector<ModelNaming> namings;
  for (const LoadedModel& model : models) {
    const ModelInfo& info = model.segmenter->info();
    namings.push_back({info.name, info.spec.kind, model.aliases, PredictionCount(info.spec)});
  }
  ASSIGN_OR_RETURN(ModelNames names, ModelNames::Resolve(namings, default_model));
  for (size_t i = 0; i < models.size(); ++i) models[i].aliases = names.aliases(static_cast<int>(i));
  return std::unique_ptr<ModelRegistry>(new ModelRegistry(std::move(models), std::move(names)));
}

absl::StatusOr<const LoadedModel*> ModelRegistry::Find(absl::string_view name) const {
  absl::StatusOr<int> index = names_.Find(name);
  if (!index.ok()) {
    const absl::Status unknown = absl::NotFoundError(absl::StrCat("model: ", index.status().message()));
    return WithResource(WithReason(unknown, kModelNotFound), "candor.v1.Model", name);
  }
  return &models_[static_cast<size_t>(*index)];
}

}  // namespace candor
