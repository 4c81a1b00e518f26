// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/nn/network.h"
#include "core/uncertainty/predictor.h"

namespace candor {

// Makes a reducer for one picture, on the predictor's device.
using ReducerFactory = std::function<std::unique_ptr<ScoreReducer>()>;

// Runs one or more networks over the same pictures and reduces their scores:
//   a student       one network with an uncertainty head; predictive_stddev is what that head says;
//   a single model  one network without it;
//   a deep ensemble M >= 2 networks (Lakshminarayanan et al. 2017); members run one after another.
class NetworkPredictor : public Predictor {
 public:
  NetworkPredictor(std::vector<std::shared_ptr<Network>> members, std::vector<UncertaintyKind> kinds,
                   ReducerFactory make_reducer);

  absl::StatusOr<std::vector<Segmentation>> Predict(const torch::Tensor& images, PictureSize size,
                                                    absl::Span<const KindRequest> kinds,
                                                    const CancelCheck& cancelled) override;
  const std::vector<UncertaintyKind>& kinds() const override { return kinds_; }

 private:
  const std::vector<std::shared_ptr<Network>> members_;
  const std::vector<UncertaintyKind> kinds_;
  const ReducerFactory make_reducer_;
  std::vector<std::unique_ptr<ScoreReducer>> reducers_;  // one a picture of the batch; kept for their memory
};

}  // namespace candor
