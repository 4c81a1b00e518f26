// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/segmenter/segmenter.h"
#include "server/execution/inference_job.h"

namespace candor {

// What users call the two sides of a distillation.
inline constexpr char kStudentAlias[] = "student";
inline constexpr char kTeacherAlias[] = "teacher";

// What the names of one model follow from.
struct ModelNaming {
  std::string name;  // the bundle's
  ModelKind kind = ModelKind::kSingle;
  std::vector<std::string> aliases;  // as configured
  int predictions = 1;               // that its uncertainty is made of: members, or passes of one network
};

// Which name means which model. Immutable.
class ModelNames {
 public:
  // Adds the alias "student" to the only student, and "teacher" to the only ensemble or, without one, to the only other
  // model of several predictions. `default_model` is a name or
  // alias; empty: "student" if there is one, else the first model. InvalidArgument, the message beginning with the
  // configuration's field: no model, a repeated name, an empty alias, an alias that means two models or is another
  // model's name, "student" or "teacher" for a model of another kind, two students or teachers none of which has that
  // alias, an unknown default.
  static absl::StatusOr<ModelNames> Resolve(const std::vector<ModelNaming>& models, absl::string_view default_model);

  // Index into `models`; "", and "default" unless a model is called so, is the default. NotFound names the loaded
  // models.
  absl::StatusOr<int> Find(absl::string_view name) const;
  // Other names than its own, sorted.
  const std::vector<std::string>& aliases(int index) const { return aliases_[static_cast<size_t>(index)]; }
  int default_index() const { return default_index_; }

 private:
  ModelNames() = default;
  absl::Status AddName(const std::string& field, const std::string& name, int index);
  absl::Status AddRoleAlias(const std::vector<ModelNaming>& models, const std::string& alias);

  std::map<std::string, int, std::less<>> index_by_name_;
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> aliases_;
  int default_index_ = 0;
};

// A model in memory.
struct LoadedModel {
  std::shared_ptr<Segmenter> segmenter;  // shared by the registries it is in and by jobs under way
  std::vector<std::string> aliases;      // all of them, once it is in a registry
  double load_seconds = 0;
  Batching batching;
};

// The loaded models by name. Immutable, so thread-safe; the segmenters themselves are used by one thread only.
class ModelRegistry {
 public:
  // `models[i].aliases` are the configured ones. Errors of ModelNames::Resolve.
  static absl::StatusOr<std::unique_ptr<ModelRegistry>> Create(std::vector<LoadedModel> models,
                                                               absl::string_view default_model);

  // By name or alias, "" for the default. NotFound: `model: ...`.
  absl::StatusOr<const LoadedModel*> Find(absl::string_view name) const;

  const std::vector<LoadedModel>& models() const { return models_; }  // in the configuration's order
  const LoadedModel& default_model() const { return models_[static_cast<size_t>(names_.default_index())]; }

 private:
  ModelRegistry(std::vector<LoadedModel> models, ModelNames names)
      : models_(std::move(models)), names_(std::move(names)) {}

  const std::vector<LoadedModel> models_;
  const ModelNames names_;
};

}  // namespace candor
