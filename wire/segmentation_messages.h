// SPDX-License-Identifier: Apache-2.0
//
// Which fields of candor.v1 are large. Pure functions, thread-safe.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "candor/v1/segmentation.pb.h"
#include "wire/large_fields.h"

namespace candor {

// A message whose large fields are placeholders for bytes of the buffer it came in: image.encoded and image.raw.data of
// a request, labels and maps' data of a response.
template <typename Message>
struct Incoming {
  grpc::ByteBuffer bytes;
  SplitMessage split;
  Message message;

  // The picture's file or pixels in `request`, which is in the message.
  absl::Span<const absl::string_view> PictureData(const v1::SegmentRequest& request) const {
    const v1::Image& image = request.image();
    return split.Find(image.has_encoded() ? image.encoded() : image.raw().data());
  }
};

// Reads `incoming->bytes`. False: they are no such message.
bool Parse(Incoming<v1::SegmentRequest>* incoming);
bool Parse(Incoming<v1::StreamRequest>* incoming);
bool Parse(Incoming<v1::SegmentResponse>* incoming);
bool Parse(Incoming<v1::StreamResponse>* incoming);

// The message may have placeholders of `large_fields` for image.encoded and image.raw.data, or for labels and for maps'
// data; empty if anything else is there.
grpc::ByteBuffer Serialize(const v1::SegmentRequest& request, absl::Span<const grpc::Slice> large_fields);
grpc::ByteBuffer Serialize(const v1::StreamRequest& request, absl::Span<const grpc::Slice> large_fields);
grpc::ByteBuffer Serialize(const v1::SegmentResponse& response, absl::Span<const grpc::Slice> large_fields);
grpc::ByteBuffer Serialize(const v1::StreamResponse& response, absl::Span<const grpc::Slice> large_fields);

}  // namespace candor
