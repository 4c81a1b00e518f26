// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/shared_encoder.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/nn/weights.h"
#include "trainer/training/run_folder.h"

namespace candor {
namespace {

// The network's weights with all tensors of `weights` that are the encoder's in their place.
absl::Status TakeEncoder(const TensorFile& weights, SegmentationNet& net) {
  std::map<std::string, const NamedTensor*> encoder;
  for (const NamedTensor& tensor : weights.tensors) {
    if (absl::StartsWith(tensor.name, "encoder.")) encoder[tensor.name] = &tensor;
  }
  TensorFile file = SaveWeights(net);
  for (NamedTensor& tensor : file.tensors) {
    const auto found = encoder.find(tensor.name);
    if (found != encoder.end()) tensor = *found->second;
  }
  return LoadWeights(file, net);
}

}  // namespace

absl::Status StartFromFirstMember(const std::string& run, TrainingJob* job) {
  const std::string model = MemberModel(run, 0);
  if (!HoldsBundle(model)) {
    return absl::FailedPreconditionError(
        absl::StrCat(run, ": member 0 is not finished; with shared_encoder the others start from its encoder"));
  }
  ASSIGN_OR_RETURN(Bundle first, ReadBundle(model));
  // Not the bundle's digest: that changes when member 0 is calibrated.
  job->identity.emplace_back("member_0_digest", first.spec.weights[0].sha256);
  job->is_encoder_frozen = true;
  job->initialise = [weights = std::move(first.members[0])](SegmentationNet& net) { return TakeEncoder(weights, net); };
  return absl::OkStatus();
}

}  // namespace candor
