// SPDX-License-Identifier: Apache-2.0
//
// The one real Segmenter: bundle -> networks -> predictor, and the boundary at which Torch's exceptions end.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <type_traits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/nn/pooled_allocator.h"
#include "core/nn/preprocess.h"
#include "core/nn/segmentation_net.h"
#include "core/nn/torch_guard.h"
#include "core/segmenter/cuda_input.h"
#include "core/segmenter/device.h"
#include "core/segmenter/engine_choice.h"
#include "core/segmenter/graph_members.h"
#include "core/segmenter/reducers.h"
#include "core/segmenter/segmenter.h"
#include "core/uncertainty/make_predictor.h"
#include "core/uncertainty/network_predictor.h"

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
  // `cuda_input` is null for the CPU.
  NetworkSegmenter(ModelInfo info, std::unique_ptr<CudaInput> cuda_input, std::unique_ptr<Predictor> predictor)
      : info_(std::move(info)), cuda_input_(std::move(cuda_input)), predictor_(std::move(predictor)) {}

  const ModelInfo& info() const override { return info_; }

  absl::StatusOr<std::vector<Segmentation>> SegmentBatch(absl::Span<const SegmentItem> items,
                                                         const MemberChecks& checks) override {
    ASSIGN_OR_RETURN(PendingAnswers answers, StartBatch(items, checks));
    return std::move(answers).Take();
  }

  absl::StatusOr<PendingAnswers> StartBatch(absl::Span<const SegmentItem> items, const MemberChecks& checks) override {
    RETURN_IF_ERROR(CheckPictures(items));
    if (has_gpu_failed_) return absl::AbortedError("device cuda: has failed before");
    std::vector<const Picture*> pictures;
    std::vector<PictureRequest> requests;
    for (const SegmentItem& item : items) {
      RETURN_IF_ERROR(CheckKinds(info_.spec, item.request.kinds));
      pictures.push_back(item.picture);
      requests.push_back({{item.picture->height(), item.picture->width()}, item.request});
    }
    absl::StatusOr<PendingAnswers> answers = Guarded([&]() -> absl::StatusOr<PendingAnswers> {
      torch::InferenceMode inference;
      if (cuda_input_ == nullptr) {
        return predictor_->StartBatch(Preprocess(pictures, info_.spec.normalisation), requests, checks);
      }
      ASSIGN_OR_RETURN(const torch::Tensor images, cuda_input_->Make(pictures, info_.spec.normalisation));
      return predictor_->StartBatch(images, requests, checks);
    });
    if (!answers.ok() || answers->are_ready()) return answers;
    return PendingAnswers([pending = *std::move(answers)]() mutable {
      return Guarded([&pending] { return std::move(pending).Take(); });
    });
  }

 private:
  template <typename Body>
  static std::invoke_result_t<Body> Guarded(Body&& body) {
    auto result = GuardTorch(std::forward<Body>(body));
    // Here, where the exception and the tensors that it held are gone. oneDNN's lack of memory is an error of no kind.
    if (absl::IsResourceExhausted(result.status()) || absl::IsInternal(result.status())) GiveBackIdleMemory();
    if (absl::IsAborted(result.status())) has_gpu_failed_ = true;
    return result;
  }

  // For good, and for every model: it would only say so again, where memory is given back even as an exception that
  // nothing can catch.
  static inline std::atomic<bool> has_gpu_failed_ = false;

  const ModelInfo info_;
  const std::unique_ptr<CudaInput> cuda_input_;
  const std::unique_ptr<Predictor> predictor_;
};

int64_t CountParameters(const ModelSpec& spec) {
  int64_t encoder = 0;
  int64_t rest = 0;
  const SegmentationNet net = MakeNetwork(spec);
  for (const auto& item : net->named_parameters()) {
    (absl::StartsWith(item.key(), "encoder.") ? encoder : rest) += item.value().numel();
  }
  const auto members = static_cast<int64_t>(spec.weights.size());
  return encoder * (spec.is_encoder_shared ? 1 : members) + rest * members;
}

// The bundle without the members that are not asked for.
absl::StatusOr<Bundle> OnlyMembers(Bundle bundle, const std::vector<int>& members) {
  ModelSpec& spec = bundle.spec;
  std::vector<FileRecord> kept;
  for (const int index : members) {
    if (index < 0 || index >= static_cast<int>(spec.weights.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("member ", index, ": must be in [0, ", spec.weights.size() - 1, "]"));
    }
    kept.push_back(spec.weights[index]);
  }
  spec.weights = std::move(kept);
  if (members.size() == 1 && spec.kind == ModelKind::kEnsemble) {
    spec.kind = ModelKind::kSingle;
    spec.is_encoder_shared = false;  // bundle.encoder still completes it
  }
  spec.uncertainty = UncertaintyKindsOf(spec);
  return bundle;
}

// A predictor that is warmed up and, if `is_whole` and the options leave it one, gives its known answer.
absl::StatusOr<std::unique_ptr<Predictor>> MakeCheckedPredictor(const Bundle& bundle, bool is_whole,
                                                                const LoadOptions& options, Precision precision,
                                                                const ReducerFactory& make_reducer) {
  const torch::Device device = options.device == Device::kCuda ? torch::kCUDA : torch::kCPU;
  const ModelSpec& spec = bundle.spec;
  ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> members,
                   MakeMembers(
                       spec, spec.weights.size(), [&bundle](size_t index) { return ReadMember(bundle, index); }, device,
                       CompilerFor(options, spec, precision)));
  if (CanBeRecorded(options, spec)) {
    ASSIGN_OR_RETURN(std::unique_ptr<GraphCapturer> capturer, MakeGraphCapturer());
    members = std::make_unique<GraphMembers>(std::move(members), spec.is_encoder_shared, std::move(capturer));
  }
  std::unique_ptr<Predictor> predictor =
      std::make_unique<NetworkPredictor>(std::move(members), spec.uncertainty, MeaningOf(spec), make_reducer());
  ASSIGN_OR_RETURN(const KnownAnswer answer, ComputeKnownAnswer(spec, device, predictor.get()));
  if (is_whole && options.members.empty() && options.temperature == 0 && options.encoder_ranges.empty()) {
    RETURN_IF_ERROR(CheckKnownAnswer(spec.known_answer, answer));
  }
  return predictor;
}

// `damaged`: files of members that `bundle` is already without.
absl::StatusOr<std::unique_ptr<Segmenter>> Build(Bundle bundle, std::vector<std::string> damaged,
                                                 const LoadOptions& options) {
  ASSIGN_OR_RETURN(ReducerFactory make_reducer, ReducersFor(options.device));
  if (!options.members.empty()) {
    ASSIGN_OR_RETURN(bundle, OnlyMembers(std::move(bundle), options.members));
  }
  if (options.temperature > 0) {
    if (!bundle.spec.calibration.has_value()) bundle.spec.calibration.emplace();
    bundle.spec.calibration->temperature = options.temperature;
  }
  torch::InferenceMode inference;
  ASSIGN_OR_RETURN(const std::vector<Precision> precisions, PrecisionsFor(options, bundle.spec));
  Precision precision = precisions.front();
  auto predictor = MakeCheckedPredictor(bundle, damaged.empty(), options, precision, make_reducer);
  if (absl::IsDataLoss(predictor.status()) && precisions.size() > 1) {
    LogWarning("model computes in fp32: another answer than its known one otherwise",
               {{"model", bundle.name},
                {"precision", PrecisionName(precision)},
                {"difference", predictor.status().message()}});
    precision = precisions[1];
    predictor = MakeCheckedPredictor(bundle, damaged.empty(), options, precision, make_reducer);
  }
  RETURN_IF_ERROR(predictor.status());
  ModelInfo info;
  info.name = std::move(bundle.name);
  info.version = bundle.version;
  info.digest = std::move(bundle.digest);
  info.parameters = CountParameters(bundle.spec);
  info.spec = std::move(bundle.spec);
  info.damaged_members = std::move(damaged);
  info.device = options.device == Device::kCuda ? "cuda" : "cpu";
  info.precision = std::string(PrecisionName(precision));
  std::unique_ptr<CudaInput> cuda_input;
  if (options.device == Device::kCuda) {
    ASSIGN_OR_RETURN(CudaPlugin * plugin, LoadCudaPlugin());
    cuda_input = std::make_unique<CudaInput>(plugin, torch::kCUDA);
  }
  return std::make_unique<NetworkSegmenter>(std::move(info), std::move(cuda_input), *std::move(predictor));
}

absl::StatusOr<std::unique_ptr<Segmenter>> BuildWhatIsSound(const Bundle& bundle, const LoadOptions& options) {
  absl::StatusOr<std::unique_ptr<Segmenter>> whole = Build(bundle, {}, options);
  if (whole.ok() || !options.allow_partial_ensemble || !options.members.empty()) return whole;
  MembersOnDisk members = FindSoundMembers(bundle);
  if (members.damaged.empty() || !CanGoOnWith(members, bundle)) return whole;
  ASSIGN_OR_RETURN(Bundle sound, OnlyMembers(bundle, members.sound));
  return Build(std::move(sound), std::move(members.damaged), options);
}

}  // namespace

void SetInferenceThreads(int threads) { at::set_num_threads(threads); }

absl::StatusOr<std::unique_ptr<Segmenter>> LoadSegmenter(const std::string& bundle_directory,
                                                         const LoadOptions& options) {
  InstallPooledAllocator();
  ASSIGN_OR_RETURN(const Bundle bundle, OpenBundle(bundle_directory));
  auto segmenter = GuardTorch([&] {
    if (options.threads > 0) at::set_num_threads(options.threads);
    return BuildWhatIsSound(bundle, options);
  });
  // Errors of reading name the file already.
  if (!segmenter.ok() && !absl::StartsWith(segmenter.status().message(), bundle_directory)) {
    return absl::Status(segmenter.status().code(), absl::StrCat(bundle_directory, ": ", segmenter.status().message()));
  }
  return segmenter;
}

}  // namespace candor
