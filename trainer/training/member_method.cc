// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/member_method.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/nn/gaussian_weights.h"
#include "trainer/training/bayes_objective.h"
#include "trainer/training/encoder_weights.h"

namespace candor {

Sampling MemberSampling(const TrainOptions& options) {
  Sampling sampling;
  sampling.passes = options.passes;
  switch (options.member_method) {
    case MemberMethod::kBayes:
      sampling.method = SamplingMethod::kWeightSamples;
      sampling.is_decoder_only = options.bayes.is_decoder_only;
      return sampling;
    case MemberMethod::kBatchEnsemble:
      sampling.method = SamplingMethod::kRankOne;
      return sampling;
    case MemberMethod::kPlain:
      break;
  }
  if (options.dropout == 0) return {};
  sampling.method = SamplingMethod::kMcDropout;
  sampling.dropout = static_cast<float>(options.dropout);
  sampling.passes = options.dropout_passes;
  return sampling;
}

absl::Status InitialiseMember(const TrainOptions& options, SegmentationNet& net) {
  if (options.pretrained_members && !options.encoder_weights.empty()) {
    RETURN_IF_ERROR(LoadEncoder(options.encoder_weights, net));
  }
  // After the means, of which it is a share.
  if (options.member_method == MemberMethod::kBayes) SetDeviations(*net, options.bayes.initial_stddev);
  return absl::OkStatus();
}

std::unique_ptr<Objective> MakeMemberObjective(const TrainOptions& options, SegmentationNet net,
                                               torch::Tensor class_weights) {
  if (options.member_method == MemberMethod::kBayes) {
    return MakeBayesObjective(std::move(net), options.precision, std::move(class_weights), options.bayes);
  }
  return MakeSegmentationObjective(std::move(net), options.precision, std::move(class_weights));
}

}  // namespace candor
