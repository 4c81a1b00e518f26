// SPDX-License-Identifier: Apache-2.0
//
// Between the messages of the protocol and the plain structs of the core. Pure functions, thread-safe.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "candor/v1/segmentation.pb.h"
#include "core/image/decode.h"
#include "core/image/image.h"
#include "core/segmenter/segmenter.h"
#include "server/segment_plan.h"

namespace candor {

// InvalidArgument begins with the field's path, e.g. `image.raw.stride: `.
absl::StatusOr<Image> DecodeRequestImage(const v1::Image& image, const DecodeLimits& limits);

// Everything but request id and timing. `picture` is the whole one, needed only if the plan needs it. Takes the labels
// out of `segmentation`, and changes those that `plan.abstain` says.
void FillSegmentResponse(const SegmentPlan& plan, const ModelInfo& model, const Image* picture,
                         Segmentation* segmentation, v1::SegmentResponse* response);

}  // namespace candor
