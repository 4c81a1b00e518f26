// SPDX-License-Identifier: Apache-2.0
#include "trainer/import_weights.h"

#include <torch/torch.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/in_file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/model/class_list.h"
#include "core/nn/segmentation_net.h"
#include "core/nn/torch_guard.h"
#include "core/nn/weights.h"
#include "trainer/group_text.h"
#include "trainer/weight_names.h"
#include "trainer/write_model.h"

namespace candor {
namespace {

constexpr int64_t kMaxWeightBytes = int64_t{4} << 30;

absl::StatusOr<TranslatedWeights> ReadWeights(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxWeightBytes));
  auto file = ParseSafetensors(bytes);
  if (!file.ok()) return InFile(path, file.status());
  auto weights = TranslateFromForeign(*std::move(file));
  if (!weights.ok()) return InFile(path, weights.status());
  return weights;
}

// Adds what a bare encoder lacks, freshly initialised.
void CompleteEncoder(const ModelSpec& spec, uint64_t seed, TensorFile* encoder) {
  torch::manual_seed(seed);
  for (NamedTensor& tensor : SaveWeights(MakeNetwork(spec)).tensors) {
    if (tensor.name.rfind("encoder.", 0) != 0) encoder->tensors.push_back(std::move(tensor));
  }
}

absl::StatusOr<TensorFile> PrepareMember(const ModelSpec& spec, const ImportOptions& options, size_t index) {
  const std::string& path = options.weights[index];
  ASSIGN_OR_RETURN(TranslatedWeights weights, ReadWeights(path));
  if (weights.naming == WeightNaming::kTorchvision) {
    CompleteEncoder(spec, options.seed + index, &weights.file);
    LogWarning("only an encoder: decoder and heads are random, train before serving",
               {{"file", path}, {"seed", options.seed + index}});
  }
  // Checks names, shapes and values, and completes what may be missing.
  SegmentationNet net = MakeNetwork(spec);
  if (const absl::Status status = LoadWeights(weights.file, net); !status.ok()) return InFile(path, status);
  TensorFile member = SaveWeights(net);
  // Also when the bundle is written; here its error can name the file.
  if (const absl::Status status = ConvertFloats(options.store, &member); !status.ok()) return InFile(path, status);
  return member;
}

absl::StatusOr<ModelSpec> SpecFrom(const ImportOptions& options) {
  ModelSpec spec;
  spec.kind = options.kind;
  spec.width = options.width;
  ASSIGN_OR_RETURN(spec.classes, LoadClassList(options.classes));
  for (const std::string& text : options.groups) {
    ASSIGN_OR_RETURN(ClassGroup group, ParseGroup(text, spec.classes));
    spec.groups.push_back(std::move(group));
  }
  spec.normalisation = options.normalisation;
  spec.sampling = options.sampling;
  if (options.sampling.method != SamplingMethod::kNone && options.kind != ModelKind::kSingle) {
    return absl::InvalidArgumentError(
        absl::StrCat("sampling: is for a single network, not for kind ", ModelKindName(options.kind)));
  }
  if (options.kind == ModelKind::kStudent) spec.learned = {UncertaintyKind::kPredictiveStddev};
  spec.training = options.training;
  const bool is_ensemble = options.kind == ModelKind::kEnsemble;
  if (is_ensemble != (options.weights.size() > 1)) {
    return absl::InvalidArgumentError(absl::StrCat("weights: a bundle of kind ", ModelKindName(options.kind), " takes ",
                                                   is_ensemble ? "at least two files" : "one file", ", got ",
                                                   options.weights.size()));
  }
  return spec;
}

}  // namespace

absl::Status ImportWeights(const ImportOptions& options) {
  return GuardTorch([&]() -> absl::Status {
    ASSIGN_OR_RETURN(ModelSpec spec, SpecFrom(options));
    std::vector<TensorFile> members;
    for (size_t i = 0; i < options.weights.size(); ++i) {
      ASSIGN_OR_RETURN(TensorFile member, PrepareMember(spec, options, i));
      members.push_back(std::move(member));
    }
    return WriteModel(std::move(spec), std::move(members), options.store, options.out);
  });
}

absl::Status ExportWeights(const std::string& bundle_directory, ExportNaming naming, const std::string& out) {
  ASSIGN_OR_RETURN(Bundle bundle, ReadBundle(bundle_directory));
  RETURN_IF_ERROR(MakeDirectories(out));
  for (size_t i = 0; i < bundle.members.size(); ++i) {
    TensorFile& member = bundle.members[i];
    RETURN_IF_ERROR(ConvertFloats(DType::kF32, &member));
    if (naming == ExportNaming::kTorchvision) member = ToTorchvision(member);
    ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(member));
    const std::string name = bundle.members.size() == 1 ? "model" : absl::StrCat("member_", i);
    RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(out, "/", name, ".safetensors"), bytes));
  }
  return absl::OkStatus();
}

}  // namespace candor
