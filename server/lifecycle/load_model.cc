// SPDX-License-Identifier: Apache-2.0
#include "server/lifecycle/load_model.h"

#include <chrono>
#include <vector>

#include "absl/strings/str_join.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/config.h"

namespace candor {

void LogIncompleteVersions(const std::string& place) {
  const absl::StatusOr<std::vector<VersionOnDisk>> versions = ListVersionsAt(place);
  if (!versions.ok()) return;
  for (const VersionOnDisk& version : *versions) {
    if (!version.is_complete) {
      LogWarning("version without model.json passed over: it is not complete", {{"directory", version.directory}});
    }
  }
}

absl::StatusOr<LoadedModel> LoadModelFrom(const std::string& directory, const v1::ModelConfig& config,
                                          const SegmenterLoader& load) {
  const auto start = std::chrono::steady_clock::now();
  LoadedModel model;
  ASSIGN_OR_RETURN(model.segmenter, load(directory));
  const ModelInfo& info = model.segmenter->info();
  model.aliases = {config.aliases().begin(), config.aliases().end()};
  model.batching = BatchingOf(config, info.device);
  model.load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  LogInfo("model loaded", {{"model", info.name},
                           {"version", info.version},
                           {"digest", info.digest},
                           {"device", info.device},
                           {"precision", info.precision},
                           {"seconds", model.load_seconds}});
  if (!info.damaged_members.empty()) {
    LogError("ensemble served without damaged members, and not compared with its known answer",
             {{"model", info.name},
              {"version", info.version},
              {"members", static_cast<int64_t>(info.spec.weights.size())},
              {"damaged", absl::StrJoin(info.damaged_members, ", ")}});
  }
  return model;
}

absl::StatusOr<LoadedModel> LoadConfiguredModel(const v1::ModelConfig& config, const SegmenterLoader& load) {
  LogIncompleteVersions(config.bundle());
  ASSIGN_OR_RETURN(const VersionOnDisk version, ChooseVersion(config.bundle(), config.version()));
  return LoadModelFrom(version.directory, config, load);
}

}  // namespace candor
