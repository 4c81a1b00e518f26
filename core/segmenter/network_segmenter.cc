// SPDX-License-Identifier: Apache-2.0
//
// The one real Segmenter: bundle -> networks -> predictor, and the boundary at which Torch's exceptions end.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/nn/pooled_allocator.h"
#include "core/nn/preprocess.h"
#include "core/nn/segmentation_net.h"
#include "core/nn/torch_guard.h"
#include "core/segmenter/cuda_reducer.h"
#include "core/segmenter/device.h"
#include "core/segmenter/segmenter.h"
#include "core/uncertainty/cpu_reducer.h"
#include "core/uncertainty/make_predictor.h"

namespace candor {
namespace {

absl::Status CheckKinds(const ModelSpec& spec, absl::Span<const KindRequest> kinds) {
  for (size_t i = 0; i < kinds.size(); ++i) {
    const absl::string_view name = UncertaintyKindName(kinds[i].kind);
    if (std::find(spec.uncertainty.begin(), spec.uncertainty.end(), kinds[i].kind) == spec.uncertainty.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("uncertainty kind ", name, ": the model gives ",
                       absl::StrJoin(spec.uncertainty, ", ", [](std::string* out, UncertaintyKind kind) {
                         absl::StrAppend(out, UncertaintyKindName(kind));
                       })));
    }
    for (size_t j = 0; j < i; ++j) {
      if (kinds[j].kind == kinds[i].kind) {
        return absl::InvalidArgumentError(absl::StrCat("uncertainty kind ", name, ": asked for twice"));
      }
    }
  }
  return absl::OkStatus();
}

class NetworkSegmenter : public Segmenter {
 public:
  NetworkSegmenter(ModelInfo info, torch::Device device, std::unique_ptr<Predictor> predictor)
      : info_(std::move(info)), device_(device), predictor_(std::move(predictor)) {}

  const ModelInfo& info() const override { return info_; }

  absl::StatusOr<Segmentation> Segment(const Image& image, absl::Span<const KindRequest> kinds,
                                       const CancelCheck& cancelled) override {
    if (image.width < 1 || image.height < 1) return absl::InvalidArgumentError("image: has no pixels");
    RETURN_IF_ERROR(CheckKinds(info_.spec, kinds));
    return GuardTorch([&]() -> absl::StatusOr<Segmentation> {
      torch::InferenceMode inference;
      const torch::Tensor images = Preprocess(image, info_.spec.normalisation).to(device_);
      ASSIGN_OR_RETURN(std::vector<Segmentation> results,
                       predictor_->Predict(images, {image.height, image.width}, kinds, cancelled));
      return std::move(results[0]);
    });
  }

 private:
  const ModelInfo info_;
  const torch::Device device_;
  const std::unique_ptr<Predictor> predictor_;
};

absl::StatusOr<ReducerFactory> ReducersFor(Device device) {
  if (device != Device::kCuda) return ReducerFactory([] { return std::make_unique<CpuReducer>(); });
  ASSIGN_OR_RETURN(CudaPlugin * plugin, LoadCudaPlugin());
  return ReducerFactory([plugin] { return std::make_unique<CudaReducer>(plugin); });
}

int64_t CountParameters(const ModelSpec& spec) {
  int64_t count = 0;
  for (const torch::Tensor& parameter : MakeNetwork(spec)->parameters()) count += parameter.numel();
  return count * static_cast<int64_t>(spec.weights.size());
}

absl::StatusOr<std::unique_ptr<Segmenter>> Build(Bundle bundle, Device device) {
  ASSIGN_OR_RETURN(ReducerFactory make_reducer, ReducersFor(device));
  const torch::Device torch_device = device == Device::kCuda ? torch::kCUDA : torch::kCPU;
  torch::InferenceMode inference;
  ASSIGN_OR_RETURN(
      std::unique_ptr<Predictor> predictor,
      MakePredictor(
          bundle.spec, bundle.spec.weights.size(), [&bundle](size_t index) { return ReadMember(bundle, index); },
          torch_device, std::move(make_reducer)));
  // Also the warm-up: the first pass is slower than the rest.
  ASSIGN_OR_RETURN(const KnownAnswer answer, ComputeKnownAnswer(bundle.spec, torch_device, predictor.get()));
  RETURN_IF_ERROR(CheckKnownAnswer(bundle.spec.known_answer, answer));
  ModelInfo info;
  info.name = std::move(bundle.name);
  info.version = bundle.version;
  info.digest = std::move(bundle.digest);
  info.parameters = CountParameters(bundle.spec);
  info.spec = std::move(bundle.spec);
  info.device = device == Device::kCuda ? "cuda" : "cpu";
  return std::make_unique<NetworkSegmenter>(std::move(info), torch_device, std::move(predictor));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Segmenter>> LoadSegmenter(const std::string& bundle_directory,
                                                         const LoadOptions& options) {
  InstallPooledAllocator();
  ASSIGN_OR_RETURN(Bundle bundle, OpenBundle(bundle_directory));
  auto segmenter = GuardTorch([&] {
    at::set_num_threads(options.threads);
    return Build(std::move(bundle), options.device);
  });
  // Errors of reading name the file already.
  if (!segmenter.ok() && !absl::StartsWith(segmenter.status().message(), bundle_directory)) {
    return absl::Status(segmenter.status().code(), absl::StrCat(bundle_directory, ": ", segmenter.status().message()));
  }
  return segmenter;
}

}  // namespace candor
