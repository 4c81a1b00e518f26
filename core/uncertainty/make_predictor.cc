// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/make_predictor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/nn/fold_norm.h"
#include "core/nn/preprocess.h"
#include "core/nn/segmentation_net.h"
#include "core/nn/weights.h"
#include "core/uncertainty/augmentation.h"
#include "core/uncertainty/cpu_reducer.h"
#include "core/uncertainty/mc_dropout.h"
#include "core/uncertainty/network_predictor.h"

namespace candor {
namespace {

void PrepareForInference(const ModelSpec& spec, torch::Device device, SegmentationNetImpl& net) {
  net.eval();
  net.to(device);
  for (torch::Tensor& parameter : net.parameters()) {
    parameter.set_requires_grad(false);
    // NHWC, as pictures come and as oneDNN and cuDNN like it best.
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  if (spec.calibration) net.DivideLogits(spec.calibration->temperature);
  FoldNorms(net);
}

std::unique_ptr<MemberSource> MembersOf(const ModelSpec& spec, const std::vector<SegmentationNet>& networks) {
  const Sampling& sampling = spec.sampling;
  switch (sampling.method) {
    case SamplingMethod::kMcDropout:
      return std::make_unique<McDropoutMembers>(networks[0], sampling.passes, sampling.dropout);
    case SamplingMethod::kAugmentation:
      return std::make_unique<AugmentedMembers>(networks[0].ptr(), sampling.views);
    case SamplingMethod::kNone:
      break;
  }
  std::vector<std::shared_ptr<Network>> members;
  for (const SegmentationNet& net : networks) members.push_back(net.ptr());
  return std::make_unique<NetworkMembers>(std::move(members));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Predictor>> MakePredictor(const ModelSpec& spec, size_t members,
                                                         const MemberReader& read_member, torch::Device device,
                                                         const ReducerFactory& make_reducer) {
  std::vector<SegmentationNet> networks;
  for (size_t m = 0; m < members; ++m) {
    ASSIGN_OR_RETURN(const TensorFile member, read_member(m));
    SegmentationNet net = MakeNetwork(spec);
    if (absl::Status status = LoadWeights(member, net); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat("member ", m, ": ", status.message()));
    }
    PrepareForInference(spec, device, *net);
    networks.push_back(std::move(net));
  }
  return std::make_unique<NetworkPredictor>(MembersOf(spec, networks), spec.uncertainty, LearnedKinds(spec),
                                            make_reducer());
}

absl::StatusOr<std::unique_ptr<Predictor>> MakeCpuPredictor(const ModelSpec& spec,
                                                            absl::Span<const TensorFile> members) {
  return MakePredictor(
      spec, members.size(), [&members](size_t index) { return members[index]; }, torch::kCPU,
      [] { return std::make_unique<CpuReducer>(); });
}

absl::StatusOr<KnownAnswer> ComputeKnownAnswer(const ModelSpec& spec, torch::Device device, Predictor* predictor) {
  const Image picture = KnownAnswerPicture();
  torch::InferenceMode inference;
  KindRequest request;
  request.kind = spec.default_kind();
  request.want_map = true;
  ASSIGN_OR_RETURN(std::vector<Segmentation> results,
                   predictor->Predict(Preprocess(picture, spec.normalisation).to(device),
                                      {picture.height, picture.width}, {absl::MakeConstSpan(&request, 1)}, nullptr));
  return KnownAnswerFrom(results[0], spec.class_count());
}

}  // namespace candor
