// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/shared_encoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/nn/weights.h"
#include "trainer/training/run_folder.h"

namespace candor {

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
  job->initialise = [weights = std::move(first.members[0])](SegmentationNet& net) {
    return LoadPart(weights, "encoder.", net);
  };
  return absl::OkStatus();
}

}  // namespace candor
