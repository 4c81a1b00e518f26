// SPDX-License-Identifier: Apache-2.0
//
// The paths to pictures and maps.
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

constexpr LargeFieldNode kRawImage[] = {{v1::RawImage::kDataFieldNumber}};
constexpr LargeFieldNode kImage[] = {{v1::Image::kEncodedFieldNumber}, {v1::Image::kRawFieldNumber, kRawImage}};
constexpr LargeFieldNode kSegmentRequest[] = {{v1::SegmentRequest::kImageFieldNumber, kImage}};
constexpr LargeFieldNode kStreamRequest[] = {{v1::StreamRequest::kFrameFieldNumber, kSegmentRequest}};

constexpr LargeFieldNode kUncertaintyMap[] = {{v1::UncertaintyMap::kDataFieldNumber}};
constexpr LargeFieldNode kSegmentResponse[] = {{v1::SegmentResponse::kLabelsFieldNumber},
                                               {v1::SegmentResponse::kMapsFieldNumber, kUncertaintyMap}};
constexpr LargeFieldNode kStreamResponse[] = {{v1::StreamResponse::kResultFieldNumber, kSegmentResponse},
                                              {v1::StreamResponse::kPreliminaryFieldNumber, kSegmentResponse}};

template <typename Message>
bool ParseBy(absl::Span<const LargeFieldNode> tree, Incoming<Message>* incoming) {
  return SplitLargeFields(&incoming->bytes, tree, &incoming->split) &&
         incoming->message.ParseFromString(incoming->split.rest);
}

}  // namespace

bool Parse(Incoming<v1::SegmentRequest>* incoming) { return ParseBy(kSegmentRequest, incoming); }
bool Parse(Incoming<v1::StreamRequest>* incoming) { return ParseBy(kStreamRequest, incoming); }
bool Parse(Incoming<v1::SegmentResponse>* incoming) { return ParseBy(kSegmentResponse, incoming); }
bool Parse(Incoming<v1::StreamResponse>* incoming) { return ParseBy(kStreamResponse, incoming); }

grpc::ByteBuffer Serialize(const v1::SegmentRequest& request, absl::Span<const grpc::Slice> large_fields) {
  return JoinLargeFields(request.SerializeAsString(), kSegmentRequest, large_fields);
}

grpc::ByteBuffer Serialize(const v1::StreamRequest& request, absl::Span<const grpc::Slice> large_fields) {
  return JoinLargeFields(request.SerializeAsString(), kStreamRequest, large_fields);
}

grpc::ByteBuffer Serialize(const v1::SegmentResponse& response, absl::Span<const grpc::Slice> large_fields) {
  return JoinLargeFields(response.SerializeAsString(), kSegmentResponse, large_fields);
}

grpc::ByteBuffer Serialize(const v1::StreamResponse& response, absl::Span<const grpc::Slice> large_fields) {
  return JoinLargeFields(response.SerializeAsString(), kStreamResponse, large_fields);
}

}  // namespace candor
