// SPDX-License-Identifier: Apache-2.0
//
// Between the messages of the protocol and the plain structs of the core. Pure functions, thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "candor/v1/segmentation.pb.h"
#include "core/image/decode.h"
#include "core/image/image.h"
#include "core/model/verdict.h"
#include "core/segmenter/segmenter.h"
#include "server/execution/inference_job.h"

namespace candor {

// One uncertainty map to return.
struct MapPlan {
  size_t kind_index = 0;  // in SegmentPlan::kinds
  v1::MapEncoding encoding = v1::MAP_F32;
};

// What a request asks of a model, checked.
struct SegmentPlan {
  std::vector<KindRequest> kinds;  // the model's default kind first; that of the verdict is among them
  std::vector<MapPlan> maps;       // in the order asked for
  v1::LabelEncoding labels = v1::LABEL_ENCODING_UNSPECIFIED;
  Priority priority = Priority::kNormal;
  bool anytime = false;              // and the model has several predictions
  bool has_server_threshold = true;  // of the default kind
};

// `threshold_share` is the server's threshold, as a share of a kind's upper bound. InvalidArgument begins with the
// field's path; FailedPrecondition: a kind the model lacks. Looks at everything but the pixels.
absl::StatusOr<SegmentPlan> PlanSegment(const v1::SegmentRequest& request, const ModelInfo& model,
                                        float threshold_share);

// InvalidArgument begins with the field's path, e.g. `image.raw.stride: `.
absl::StatusOr<Image> DecodeRequestImage(const v1::Image& image, const DecodeLimits& limits);

// By the model's calibration; none without one.
std::optional<PictureVerdict> VerdictOn(const ModelInfo& model, const Segmentation& segmentation);

// Everything but request id and timing. Takes the labels out of `segmentation`.
void FillSegmentResponse(const SegmentPlan& plan, const ModelInfo& model, Segmentation* segmentation,
                         v1::SegmentResponse* response);

}  // namespace candor
