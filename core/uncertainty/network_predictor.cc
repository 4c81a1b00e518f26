// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/network_predictor.h"

#include <utility>

#include "core/base/status_macros.h"

namespace candor {

NetworkPredictor::NetworkPredictor(std::vector<std::shared_ptr<Network>> members, std::vector<UncertaintyKind> kinds,
                                   ReducerFactory make_reducer)
    : members_(std::move(members)), kinds_(std::move(kinds)), make_reducer_(std::move(make_reducer)) {}

absl::StatusOr<std::vector<Segmentation>> NetworkPredictor::Predict(const torch::Tensor& images, PictureSize size,
                                                                    absl::Span<const KindRequest> kinds,
                                                                    const CancelCheck& cancelled) {
  const int64_t batch = images.size(0);
  while (static_cast<int64_t>(reducers_.size()) < batch) reducers_.push_back(make_reducer_());
  const int members = static_cast<int>(members_.size());
  for (int64_t n = 0; n < batch; ++n) reducers_[n]->Reset(members);
  for (int m = 0; m < members; ++m) {
    if (cancelled && cancelled()) return absl::CancelledError("cancelled before all members had run");
    const Scores scores = members_[m]->Forward(images);
    for (int64_t n = 0; n < batch; ++n) RETURN_IF_ERROR(reducers_[n]->Add(m, scores, n));
  }
  std::vector<Segmentation> results;
  for (int64_t n = 0; n < batch; ++n) {
    ASSIGN_OR_RETURN(Segmentation result, reducers_[n]->Finish(size, kinds));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace candor
