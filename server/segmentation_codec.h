// SPDX-License-Identifier: Apache-2.0
//
// Between the messages of the protocol and the plain structs of the core. Pure functions, thread-safe.
#pragma once

#include <grpcpp/support/slice.h>

#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "candor/v1/segmentation.pb.h"
#include "core/image/decode.h"
#include "core/image/picture.h"
#include "core/segmenter/segmenter.h"
#include "server/segment_plan.h"

namespace candor {

// Where the bytes of image.encoded or image.raw.data are if not in the message. Borrows all.
struct PictureBytes {
  absl::Span<const absl::string_view> pieces = {};  // one after another
  // Whether the bytes that have been read were there: the request's error, asked for after the last was read. Null:
  // they were.
  std::function<absl::Status()> check = nullptr;
};

// May borrow from both. InvalidArgument begins with the field's path, e.g. `image.raw.stride: `.
absl::StatusOr<Picture> DecodeRequestImage(const v1::Image& image, const PictureBytes& bytes,
                                           const DecodeLimits& limits);

// The file of a picture that is encoded.
std::string EncodedFile(const v1::Image& image, const PictureBytes& bytes);

// Everything but request id and timing. `picture` is the whole one, needed only if the plan needs it. Takes labels and
// maps out of `segmentation`, and changes the labels that `plan.abstain` says. `large_fields`: where they go, with
// placeholders in the response (wire/large_fields.h); null: into the response.
void FillSegmentResponse(const SegmentPlan& plan, const ModelInfo& model, const Picture* picture,
                         Segmentation* segmentation, v1::SegmentResponse* response,
                         std::vector<grpc::Slice>* large_fields = nullptr);

}  // namespace candor
