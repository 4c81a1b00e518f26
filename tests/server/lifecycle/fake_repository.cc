// SPDX-License-Identifier: Apache-2.0
#include "tests/server/lifecycle/fake_repository.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "gmock/gmock.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {

void FakeRepository::Write(const std::string& path, ModelKind kind, const std::string& weights,
                           int ensemble_members) const {
  TensorFile file;
  file.tensors = {{"w", DType::kU8, {static_cast<int64_t>(weights.size())}, weights}};
  std::vector<TensorFile> members(kind == ModelKind::kEnsemble ? static_cast<size_t>(ensemble_members) : 1, file);
  EXPECT_THAT(WriteBundle(At(path), ValidSpec(kind, 0), members), IsOk());
}

void FakeRepository::WriteHalf(const std::string& path) const {
  std::filesystem::create_directories(At(path));
  WriteContents(At(path) + "/model.safetensors", "ab");
}

void FakeRepository::Remove(const std::string& path) const { std::filesystem::remove_all(At(path)); }

absl::StatusOr<std::shared_ptr<Segmenter>> FakeRepository::Load(const std::string& directory) {
  {
    absl::MutexLock lock(&mu_);
    ++loads_;
    const auto may_go_on = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !is_blocked_; };
    mu_.Await(absl::Condition(&may_go_on));
    const auto failure = failures_.find(directory);
    if (failure != failures_.end() && !failure->second.ok()) return failure->second;
  }
  ASSIGN_OR_RETURN(const Bundle bundle, ReadBundle(directory));
  ModelInfo info = FakeModelInfo(bundle.name, bundle.spec.kind);
  info.version = bundle.version;
  info.digest = bundle.digest;
  auto fake = std::make_shared<FakeSegmenter>(std::move(info));
  absl::MutexLock lock(&mu_);
  loaded_[directory] = fake;
  return fake;
}

SegmenterLoader FakeRepository::loader() {
  return [this](const std::string& directory) { return Load(directory); };
}

v1::ServerConfig FakeRepository::Configuration(const std::map<std::string, std::vector<std::string>>& models) const {
  v1::ServerConfig config;
  for (const auto& [path, aliases] : models) {
    v1::ModelConfig& model = *config.add_models();
    model.set_bundle(At(path));
    for (const std::string& alias : aliases) model.add_aliases(alias);
  }
  return config;
}

std::unique_ptr<ModelRegistry> FakeRepository::LoadAll(const v1::ServerConfig& config) {
  std::vector<LoadedModel> models;
  for (const v1::ModelConfig& model : config.models()) {
    absl::StatusOr<LoadedModel> loaded = LoadConfiguredModel(model, loader());
    EXPECT_THAT(loaded, IsOk());
    models.push_back(*std::move(loaded));
  }
  absl::StatusOr<std::unique_ptr<ModelRegistry>> registry =
      ModelRegistry::Create(std::move(models), config.default_model());
  EXPECT_THAT(registry, IsOk());
  return *std::move(registry);
}

void FakeRepository::Block() {
  absl::MutexLock lock(&mu_);
  is_blocked_ = true;
}

void FakeRepository::Release() {
  absl::MutexLock lock(&mu_);
  is_blocked_ = false;
}

void FakeRepository::WaitForLoads(int count) {
  absl::MutexLock lock(&mu_);
  const auto have_begun = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return loads_ >= count; };
  mu_.Await(absl::Condition(&have_begun));
}

int FakeRepository::loads() const {
  absl::MutexLock lock(&mu_);
  return loads_;
}

void FakeRepository::FailWith(const std::string& path, absl::Status status) {
  absl::MutexLock lock(&mu_);
  failures_[At(path)] = std::move(status);
}

std::shared_ptr<FakeSegmenter> FakeRepository::Loaded(const std::string& path) const {
  absl::MutexLock lock(&mu_);
  const auto found = loaded_.find(At(path));
  return found == loaded_.end() ? nullptr : found->second.lock();
}

}  // namespace candor
