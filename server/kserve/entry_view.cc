// SPDX-License-Identifier: Apache-2.0
#include "server/kserve/entry_view.h"

#include <chrono>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "server/error_details.h"

namespace candor {
namespace {

constexpr char kBackend[] = "candor";

void FillDuration(uint64_t count, uint64_t ns, inference::StatisticDuration* message) {
  message->set_count(count);
  message->set_ns(ns);
}

void AddTensor(const char* name, const char* datatype, std::initializer_list<int64_t> shape,
               inference::ModelMetadataResponse::TensorMetadata* tensor) {
  tensor->set_name(name);
  tensor->set_datatype(datatype);
  for (const int64_t side : shape) tensor->add_shape(side);
}

void AddOutput(const char* name, inference::DataType type, bool has_batch, inference::ModelConfig* config) {
  inference::ModelOutput* output = config->add_output();
  output->set_name(name);
  output->set_data_type(type);
  for (int i = 0; i < (has_batch ? 2 : 3); ++i) output->add_dims(-1);
}

void FillConfigParameters(const ModelInfo& info, inference::ModelConfig* config) {
  const auto set = [config](const char* key, const std::string& text) {
    (*config->mutable_parameters())[key].set_string_value(text);
  };
  const auto append_class = [](std::string* out, const ClassSpec& spec) { out->append(spec.name); };
  const auto append_kind = [](std::string* out, UncertaintyKind kind) {
    absl::StrAppend(out, UncertaintyKindName(kind));
  };
  const UncertaintyKind kind = info.spec.default_kind();
  set("class_names", absl::StrJoin(info.spec.classes, "\n", append_class));
  set("colour_order", "RGB");
  set("uncertainty_kinds", absl::StrJoin(info.spec.uncertainty, ",", append_kind));
  set("uncertainty_unit", std::string(UncertaintyKindUnit(kind)));
  set("uncertainty_range_max", absl::StrCat(UncertaintyKindMax(kind, info.spec.class_count())));
  set("model_digest", info.digest);
}

}  // namespace

absl::StatusOr<ModelEntry> FindEntry(const ModelHub& hub, const std::string& name, const std::string& version) {
  int64_t wanted_version = 0;
  if (!version.empty() && !absl::SimpleAtoi(version, &wanted_version)) {
    return absl::InvalidArgumentError(
        absl::StrCat("version: must be a number, got \"", absl::CHexEscape(version.substr(0, 64)), "\""));
  }
  // Ours would take it for the default model.
  if (name.empty()) return WithReason(absl::NotFoundError("model: must be named"), kModelNotFound);
  ModelEntry entry;
  entry.models = hub.Now();
  absl::StatusOr<const LoadedModel*> model = entry.models->Find(name);
  absl::string_view stem = name;
  if (!model.ok() && absl::ConsumeSuffix(&stem, kEncodedSuffix) && !stem.empty()) {
    if (const absl::StatusOr<const LoadedModel*> encoded = entry.models->Find(stem); encoded.ok()) {
      model = encoded;
      entry.form = InputForm::kFiles;
    }
  }
  RETURN_IF_ERROR(model.status());
  entry.model = *model;
  if (!version.empty() && wanted_version != entry.info().version) {
    return WithReason(
        absl::NotFoundError(absl::StrCat("version: model \"", entry.info().name, "\" is loaded in version ",
                                         entry.info().version, ", not ", wanted_version)),
        kModelNotFound);
  }
  return entry;
}

std::vector<std::string> EntryNames(const ModelRegistry& models) {
  std::vector<std::string> names;
  for (const LoadedModel& model : models.models()) {
    names.push_back(model.segmenter->info().name);
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
  }
  const size_t plain = names.size();
  for (size_t i = 0; i < plain; ++i) {
    const std::string encoded = absl::StrCat(names[i], kEncodedSuffix);
    if (!models.Find(encoded).ok()) names.push_back(encoded);  // else that name is a model's own
  }
  return names;
}

void FillMetadata(const ModelEntry& entry, const std::string& name, inference::ModelMetadataResponse* response) {
  response->set_name(name);
  response->add_versions(absl::StrCat(entry.info().version));
  response->set_platform(kBackend);
  if (entry.form == InputForm::kPixels) {
    AddTensor(kImageInput, "UINT8", {-1, -1, -1, 3}, response->add_inputs());
  } else {
    AddTensor(kImageInput, "BYTES", {-1}, response->add_inputs());
  }
  AddTensor(kLabelsOutput, "UINT8", {-1, -1, -1}, response->add_outputs());
  AddTensor(kUncertaintyOutput, "FP32", {-1, -1, -1}, response->add_outputs());
}

void FillConfig(const ModelEntry& entry, const std::string& name, int max_pictures, inference::ModelConfig* config) {
  const ModelInfo& info = entry.info();
  const bool has_batch = entry.form == InputForm::kPixels;
  config->set_name(name);
  config->set_platform(kBackend);
  config->set_backend(kBackend);
  config->mutable_version_policy()->mutable_specific()->add_versions(info.version);
  // A positive size means that the first dimension is the batch's and not among `dims`. For files there is no other.
  config->set_max_batch_size(has_batch ? max_pictures : 0);
  inference::ModelInput* input = config->add_input();
  input->set_name(kImageInput);
  input->set_data_type(has_batch ? inference::TYPE_UINT8 : inference::TYPE_STRING);
  if (has_batch) input->set_format(inference::ModelInput::FORMAT_NHWC);
  for (int i = 0; i < (has_batch ? 2 : 1); ++i) input->add_dims(-1);
  if (has_batch) input->add_dims(3);
  AddOutput(kLabelsOutput, inference::TYPE_UINT8, has_batch, config);
  AddOutput(kUncertaintyOutput, inference::TYPE_FP32, has_batch, config);
  inference::ModelInstanceGroup* instance = config->add_instance_group();
  instance->set_name(info.name);
  instance->set_count(1);
  instance->set_kind(info.device == "cuda" ? inference::ModelInstanceGroup::KIND_GPU
                                           : inference::ModelInstanceGroup::KIND_CPU);
  inference::ModelDynamicBatching* batching = config->mutable_dynamic_batching();
  batching->set_max_queue_delay_microseconds(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(entry.model->batching.window).count()));
  batching->set_priority_levels(3);
  batching->set_default_priority_level(2);
  config->mutable_model_transaction_policy()->set_decoupled(false);
  FillConfigParameters(info, config);
}

void FillStatistics(const InferenceStatistics::Counts& counts, const std::string& name,
                    inference::ModelStatistics* message) {
  message->set_name(name);
  message->set_version(absl::StrCat(counts.entry.version));
  message->set_last_inference(counts.last_inference_ms);
  message->set_inference_count(counts.successes);
  message->set_execution_count(counts.executions);
  inference::InferStatistics* sums = message->mutable_inference_stats();
  FillDuration(counts.successes, counts.sums.total_ns, sums->mutable_success());
  FillDuration(counts.failures, counts.failed_ns, sums->mutable_fail());
  FillDuration(counts.successes, counts.sums.queue_ns, sums->mutable_queue());
  FillDuration(counts.successes, counts.sums.decode_ns, sums->mutable_compute_input());
  FillDuration(counts.successes, counts.sums.infer_ns, sums->mutable_compute_infer());
  FillDuration(counts.successes, counts.sums.encode_ns, sums->mutable_compute_output());
  for (const auto& [size, batches] : counts.batches) {
    inference::InferBatchStatistics* batch = message->add_batch_stats();
    batch->set_batch_size(static_cast<uint64_t>(size));
    FillDuration(batches.executions, batches.decode_ns, batch->mutable_compute_input());
    FillDuration(batches.executions, batches.infer_ns, batch->mutable_compute_infer());
    FillDuration(batches.executions, batches.encode_ns, batch->mutable_compute_output());
  }
}

}  // namespace candor
