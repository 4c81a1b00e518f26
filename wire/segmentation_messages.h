// SPDX-License-Identifier: Apache-2.0
//
// Which fields of candor.v1 are large. Pure functions, thread-safe.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "candor/v1/segmentation.pb.h"
#include "wire/large_fields.h"

namespace candor {

// A request whose image.raw.data is a placeholder for bytes of the buffer it came in.
struct IncomingSegmentRequest {
  grpc::ByteBuffer bytes;
  SplitMessage split;
  v1::SegmentRequest message;

  absl::Span<const absl::string_view> raw_data() const { return split.Find(message.image().raw().data()); }
};

// Reads `request->bytes`. False: they are no SegmentRequest.
bool ParseSegmentRequest(IncomingSegmentRequest* request);

// `response` may have placeholders of `large_fields` for its labels and for its maps' data; empty if another is there.
grpc::ByteBuffer SerializeSegmentResponse(const v1::SegmentResponse& response,
                                          absl::Span<const grpc::Slice> large_fields);

}  // namespace candor
