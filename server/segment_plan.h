// SPDX-License-Identifier: Apache-2.0
//
// What a request asks of a model: checked before any pixel is touched, and all that decides what is computed and sent.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "candor/v1/segmentation.pb.h"
#include "core/model/verdict.h"
#include "core/segmenter/segmenter.h"
#include "server/execution/inference_job.h"

namespace candor {

// One uncertainty map to return.
struct MapPlan {
  size_t kind_index = 0;  // in SegmentPlan::kinds
  v1::MapEncoding encoding = v1::MAP_F32;
};

// Pixels to take the label from.
struct AbstainPlan {
  size_t kind_index = 0;          // in SegmentPlan::kinds
  std::vector<float> thresholds;  // by class: above it a pixel loses its label
  uint8_t index = 255;            // what it gets instead
};

struct OverlayPlan {
  v1::OverlayEncoding encoding = v1::OVERLAY_PNG;
  float opacity = 0.5F;
  int quality = 90;
};

struct SegmentPlan {
  std::vector<KindRequest> kinds;  // the model's default kind first; those of `abstain` and the verdict are among them
  std::vector<MapPlan> maps;       // in the order asked for
  v1::LabelEncoding labels = v1::LABEL_ENCODING_UNSPECIFIED;
  bool has_server_threshold = true;  // of the default kind
  std::optional<AbstainPlan> abstain;
  std::optional<OverlayPlan> overlay;
  std::optional<Region> region;
  std::optional<v1::Frame> frame;
  Priority priority = Priority::kNormal;
  bool anytime = false;  // and the model has several predictions
};

// `threshold_share` is the server's threshold, as a share of a kind's upper bound. InvalidArgument begins with the
// field's path; FailedPrecondition: a kind the model lacks. Looks at everything but the pixels.
absl::StatusOr<SegmentPlan> PlanSegment(const v1::SegmentRequest& request, const ModelInfo& model,
                                        float threshold_share);

// When a second model is asked.
struct EscalationPlan {
  std::optional<float> above;  // the default kind's mean; unset: the verdict decides

  // Whether `segmentation`, the first model's by `plan`, is unsure enough.
  bool IsNeeded(const SegmentPlan& plan, const ModelInfo& model, const Segmentation& segmentation) const;
};

// Of a request with an escalation. InvalidArgument as above; FailedPrecondition: the verdict is to decide, and `model`,
// the first, gives none for such a request.
absl::StatusOr<EscalationPlan> PlanEscalation(const v1::SegmentRequest& request, const ModelInfo& model);

// By the model's calibration; none without one, or for a region: it was fitted on whole pictures.
std::optional<PictureVerdict> VerdictOn(const SegmentPlan& plan, const ModelInfo& model,
                                        const Segmentation& segmentation);

// Nothing has to be computed for the answer but what the model gave.
bool IsCheapToWrite(const SegmentPlan& plan);

// What depends on the picture's size: the region, and the sides of a JPEG. InvalidArgument begins with the field's
// path.
absl::Status CheckPlanFits(const SegmentPlan& plan, int width, int height);

}  // namespace candor
