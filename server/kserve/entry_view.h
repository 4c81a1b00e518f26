// SPDX-License-Identifier: Apache-2.0
//
// The loaded models as Triton's clients see them: each name and alias takes pixels, and NAME_encoded files. Pure
// functions, thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inference/grpc_service.pb.h"
#include "server/kserve/infer_codec.h"
#include "server/metrics/inference_statistics.h"
#include "server/model_hub.h"

namespace candor {

inline constexpr char kEncodedSuffix[] = "_encoded";

// A name's model and what it takes.
struct ModelEntry {
  std::shared_ptr<const ModelRegistry> models;  // keeps the model
  const LoadedModel* model = nullptr;
  InputForm form = InputForm::kPixels;

  const ModelInfo& info() const { return model->segmenter->info(); }
};

// `version` is empty or a number. NotFound: no such model, or not in this version; InvalidArgument: not a number.
absl::StatusOr<ModelEntry> FindEntry(const ModelHub& hub, const std::string& name, const std::string& version);

// Every name that FindEntry knows, in the configuration's order, but for "default".
std::vector<std::string> EntryNames(const ModelRegistry& models);

// `name`: as the client calls it.
void FillMetadata(const ModelEntry& entry, const std::string& name, inference::ModelMetadataResponse* response);
void FillConfig(const ModelEntry& entry, const std::string& name, int max_pictures, inference::ModelConfig* config);
void FillStatistics(const InferenceStatistics::Counts& counts, const std::string& name,
                    inference::ModelStatistics* message);

}  // namespace candor
