// SPDX-License-Identifier: Apache-2.0
//
// The one place where uncertainty methods plug in. The same object answers requests, scores a validation set and, as
// the frozen teacher, makes the distillation target ("the DE can in principle be substituted by any other UQ method":
// DUDES, section 1).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "absl/status/statusor.h"
#include "core/uncertainty/score_reducer.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

// Thread-compatible. May throw c10::Error.
class Predictor {
 public:
  virtual ~Predictor() = default;

  // images [N, 3, H, W] float32, normalised and padded to multiples of 16, on the predictor's device; one request a
  // picture. Each kind of a request at most once and among kinds(). Cancelled: `checks.cancelled` said so before a
  // member. Internal: a value is not finite.
  virtual absl::StatusOr<std::vector<Segmentation>> PredictBatch(const torch::Tensor& images,
                                                                 absl::Span<const PictureRequest> requests,
                                                                 const MemberChecks& checks) = 0;

  // The same, but returns as soon as the device has all that it needs.
  virtual absl::StatusOr<PendingAnswers> StartBatch(const torch::Tensor& images,
                                                    absl::Span<const PictureRequest> requests,
                                                    const MemberChecks& checks) {
    return PredictBatch(images, requests, checks);
  }

  // The same request for every picture.
  absl::StatusOr<std::vector<Segmentation>> Predict(const torch::Tensor& images, PictureSize size,
                                                    const PredictRequest& request, const CancelCheck& cancelled) {
    const std::vector<PictureRequest> requests(static_cast<size_t>(images.size(0)), {size, request});
    return PredictBatch(images, requests, {cancelled});
  }

  // The kinds this predictor can give, its default first.
  virtual const std::vector<UncertaintyKind>& kinds() const = 0;
};

}  // namespace candor
