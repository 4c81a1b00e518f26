// SPDX-License-Identifier: Apache-2.0
//
// From a place on disk to a model in memory. Takes seconds, on the caller's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "candor/v1/config.pb.h"
#include "core/segmenter/segmenter.h"
#include "server/lifecycle/model_repository.h"
#include "server/model_registry.h"

namespace candor {

// A bundle's directory to a warm and checked model. Errors of LoadSegmenter.
using SegmenterLoader = std::function<absl::StatusOr<std::shared_ptr<Segmenter>>(const std::string& directory)>;

// The bundle in `directory`, with aliases and batching of `config`. Errors of `load`.
absl::StatusOr<LoadedModel> LoadModelFrom(const std::string& directory, const v1::ModelConfig& config,
                                          const SegmenterLoader& load);

// The version that `config` asks for. Errors of ChooseVersion and of `load`.
absl::StatusOr<LoadedModel> LoadConfiguredModel(const v1::ModelConfig& config, const SegmenterLoader& load);

// One warning for each version at `place` that is not complete.
void LogIncompleteVersions(const std::string& place);

}  // namespace candor
