// SPDX-License-Identifier: Apache-2.0
//
// Between the client's plain structs and the messages of candor/v1/segmentation.proto. A reply is checked as a whole
// before any of it is used: nothing here trusts the server's sizes.
#pragma once

#include <grpcpp/support/slice.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "candor/v1/segmentation.pb.h"
#include "client/segmentation_client.h"
#include "wire/large_fields.h"

namespace candor {

// The names of all kinds the protocol knows: "predictive_stddev" and so on.
std::vector<std::string> AllKindNames();

// OK, or InvalidArgument: cannot travel as metadata, where a line break or the like would fail the call without a
// reason.
absl::Status CheckHeader(absl::string_view field, const std::string& value);

// The request without its image; maps are asked for as float32. InvalidArgument: an unknown kind, with those known; a
// request id, traceparent or frame that cannot travel.
absl::StatusOr<v1::SegmentRequest> MakeSegmentRequest(const SegmentOptions& options);

// The picture's bytes are copied to `large_fields`, with a placeholder in `message` (wire/large_fields.h).
void PutPicture(absl::string_view file_bytes, v1::Image* message, std::vector<grpc::Slice>* large_fields);
void PutPicture(const RawImage& image, v1::Image* message, std::vector<grpc::Slice>* large_fields);

bool IsSameFrame(const v1::Frame& a, const v1::Frame& b);
FrameOrigin ReadFrame(const v1::Frame& frame);

// The reply to `request`, all but the round trip. `split`: has the bytes of labels and maps, for which the reply then
// holds placeholders; null: the reply has them itself. Internal, the message beginning with the field's path: a size
// below 1 or of more than 2^28 pixels, a map of another size or encoding than asked for, a map or figure missing or not
// finite, a share outside [0, 1], an unknown verdict or outcome of an escalation, or an outcome without one, another
// frame's origin.
absl::StatusOr<SegmentResult> ReadSegmentResponse(const v1::SegmentRequest& request, const v1::SegmentResponse& reply,
                                                  const SplitMessage* split = nullptr);

// Internal: no class, no uncertainty kind, a range that is not positive, or thresholds that are no uncertainties.
absl::StatusOr<ModelDescription> ReadModel(const v1::Model& model);

}  // namespace candor
