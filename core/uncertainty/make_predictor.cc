// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/make_predictor.h"

#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/nn/preprocess.h"
#include "core/nn/segmentation_net.h"
#include "core/nn/weights.h"
#include "core/uncertainty/cpu_reducer.h"

namespace candor {
namespace {

constexpr double kLeastEqualLabels = 0.99;
constexpr double kLargestMeanDifference = 0.01;

}  // namespace

absl::StatusOr<std::unique_ptr<Predictor>> MakePredictor(const ModelSpec& spec, size_t members,
                                                         const MemberReader& read_member, torch::Device device,
                                                         ReducerFactory make_reducer) {
  std::vector<std::shared_ptr<Network>> networks;
  for (size_t m = 0; m < members; ++m) {
    ASSIGN_OR_RETURN(const TensorFile member, read_member(m));
    SegmentationNet net = MakeNetwork(spec);
    if (absl::Status status = LoadWeights(member, net); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat("member ", m, ": ", status.message()));
    }
    net->eval();
    net->to(device);
    for (torch::Tensor& parameter : net->parameters()) {
      parameter.set_requires_grad(false);
      // NHWC, as pictures come and as oneDNN and cuDNN like it best.
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    networks.push_back(net.ptr());
  }
  return std::make_unique<NetworkPredictor>(std::move(networks), spec.uncertainty, std::move(make_reducer));
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
                                      {picture.height, picture.width}, {request}, nullptr));
  KnownAnswer answer;
  answer.labels = std::move(results[0].labels);
  const float scale = 255.0f / UncertaintyKindMax(request.kind, spec.class_count());
  for (const float u : results[0].kinds[0].map) {
    answer.uncertainty.push_back(static_cast<uint8_t>(std::min(255.0f, std::round(u * scale))));
  }
  return answer;
}

absl::Status CheckKnownAnswer(const KnownAnswer& expected, const KnownAnswer& actual) {
  const size_t pixels = expected.labels.size();
  size_t equal = 0;
  int64_t difference = 0;
  for (size_t i = 0; i < pixels; ++i) {
    equal += expected.labels[i] == actual.labels[i];
    difference += std::abs(static_cast<int>(expected.uncertainty[i]) - static_cast<int>(actual.uncertainty[i]));
  }
  const double share = static_cast<double>(equal) / static_cast<double>(pixels);
  const double mean = static_cast<double>(difference) / (255.0 * static_cast<double>(pixels));
  if (share >= kLeastEqualLabels && mean <= kLargestMeanDifference) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("known answer: %.2f %% of the labels are equal (at least %.0f %% must be) and the uncertainty "
                      "differs by %.4f of its range on average (at most %.2f allowed)",
                      100 * share, 100 * kLeastEqualLabels, mean, kLargestMeanDifference));
}

}  // namespace candor
