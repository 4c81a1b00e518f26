// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/make_predictor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/nn/fold_norm.h"
#include "core/nn/member_network.h"
#include "core/nn/preprocess.h"
#include "core/nn/segmentation_net.h"
#include "core/nn/weights.h"
#include "core/uncertainty/augmentation.h"
#include "core/uncertainty/cpu_reducer.h"
#include "core/uncertainty/headed_network.h"
#include "core/uncertainty/logit_samples.h"
#include "core/uncertainty/mc_dropout.h"
#include "core/uncertainty/network_predictor.h"
#include "core/uncertainty/side_by_side_members.h"

namespace candor {
namespace {

// As it is stored.
absl::StatusOr<SegmentationNet> ReadStored(const ModelSpec& spec, size_t index, const MemberReader& read_member) {
  ASSIGN_OR_RETURN(const TensorFile member, read_member(index));
  SegmentationNet net = MakeNetwork(spec);
  if (absl::Status status = LoadWeights(member, net); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat("member ", index, ": ", status.message()));
  }
  net->eval();
  return net;
}

SegmentationNet Calibrated(SegmentationNet net, const ModelSpec& spec) {
  if (spec.calibration) net->DivideLogits(spec.calibration->temperature);
  return net;
}

absl::StatusOr<SegmentationNet> ReadNetwork(const ModelSpec& spec, size_t index, const MemberReader& read_member) {
  ASSIGN_OR_RETURN(SegmentationNet net, ReadStored(spec, index, read_member));
  return Calibrated(std::move(net), spec);
}

// In the form that serves: compiled, or as it is on the device.
std::shared_ptr<SplitNetwork> Serving(SegmentationNet net, torch::Device device, const NetworkCompiler& compile) {
  if (compile != nullptr) return compile(*net);
  net->to(device);
  PrepareForInference(*net);
  return net.ptr();
}

absl::StatusOr<std::unique_ptr<MemberSource>> MakeMcDropout(const ModelSpec& spec, const MemberReader& read_member,
                                                            torch::Device device) {
  ASSIGN_OR_RETURN(SegmentationNet net, ReadNetwork(spec, 0, read_member));
  net->to(device);
  PrepareForInference(*net);
  return std::make_unique<McDropoutMembers>(net, spec.sampling.passes, spec.sampling.dropout);
}

// A compiled network gives the scores that the head looks at.
absl::StatusOr<std::unique_ptr<MemberSource>> MakeWithEnergy(const ModelSpec& spec, const MemberReader& read_member,
                                                             torch::Device device, const NetworkCompiler& compile) {
  ASSIGN_OR_RETURN(SegmentationNet net, ReadNetwork(spec, 0, read_member));
  const auto head = net->uncertainty_head();
  std::shared_ptr<Network> network = Serving(std::move(net), device, compile);
  if (compile != nullptr) network = std::make_shared<HeadedNetwork>(std::move(network), head);
  return std::make_unique<NetworkMembers>(std::vector<std::shared_ptr<Network>>{std::move(network)});
}

std::unique_ptr<MemberSource> MembersOf(std::vector<std::shared_ptr<Network>> networks, torch::Device device) {
  if (device.is_cpu()) return std::make_unique<SideBySideMembers>(std::move(networks));
  return std::make_unique<NetworkMembers>(std::move(networks));
}

// One file that holds the weights of several networks.
absl::StatusOr<std::unique_ptr<MemberSource>> MakeFromOneFile(const ModelSpec& spec, const MemberReader& read_member,
                                                              torch::Device device, const NetworkCompiler& compile) {
  ASSIGN_OR_RETURN(const SegmentationNet stored, ReadStored(spec, 0, read_member));
  std::vector<std::shared_ptr<Network>> networks;
  for (int m = 0; m < spec.sampling.passes; ++m) {
    networks.push_back(Serving(Calibrated(MemberNetwork(spec, stored, m), spec), device, compile));
  }
  return MembersOf(std::move(networks), device);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemberSource>> MakeMembers(const ModelSpec& spec, size_t members,
                                                          const MemberReader& read_member, torch::Device device,
                                                          const NetworkCompiler& compile) {
  if (spec.sampling.method == SamplingMethod::kMcDropout) return MakeMcDropout(spec, read_member, device);
  if (spec.sampling.method == SamplingMethod::kWeightSamples || spec.sampling.method == SamplingMethod::kRankOne) {
    return MakeFromOneFile(spec, read_member, device, compile);
  }
  if (spec.head == UncertaintyHead::kEnergy) return MakeWithEnergy(spec, read_member, device, compile);
  std::vector<std::shared_ptr<SplitNetwork>> networks;
  for (size_t m = 0; m < members; ++m) {
    ASSIGN_OR_RETURN(SegmentationNet net, ReadNetwork(spec, m, read_member));
    networks.push_back(Serving(std::move(net), device, compile));
  }
  if (spec.sampling.method == SamplingMethod::kAugmentation) {
    return std::make_unique<AugmentedMembers>(std::move(networks[0]), spec.sampling.views);
  }
  if (spec.sampling.method == SamplingMethod::kLogitSamples) {
    return std::make_unique<LogitSampleMembers>(std::move(networks[0]), spec.sampling.passes,
                                                spec.calibration ? spec.calibration->temperature : 1);
  }
  if (spec.is_encoder_shared) return std::make_unique<SharedEncoderMembers>(std::move(networks));
  return MembersOf({networks.begin(), networks.end()}, device);
}

absl::StatusOr<std::unique_ptr<Predictor>> MakePredictor(const ModelSpec& spec, size_t members,
                                                         const MemberReader& read_member, torch::Device device,
                                                         const ReducerFactory& make_reducer,
                                                         const NetworkCompiler& compile) {
  ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> source, MakeMembers(spec, members, read_member, device, compile));
  return std::make_unique<NetworkPredictor>(std::move(source), spec.uncertainty, MeaningOf(spec), make_reducer());
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
