// SPDX-License-Identifier: Apache-2.0
//
// The paths to pictures and maps.
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

constexpr LargeFieldNode kRawImage[] = {{v1::RawImage::kDataFieldNumber}};
constexpr LargeFieldNode kImage[] = {{v1::Image::kRawFieldNumber, kRawImage}};
constexpr LargeFieldNode kSegmentRequest[] = {{v1::SegmentRequest::kImageFieldNumber, kImage}};

constexpr LargeFieldNode kUncertaintyMap[] = {{v1::UncertaintyMap::kDataFieldNumber}};
constexpr LargeFieldNode kSegmentResponse[] = {{v1::SegmentResponse::kLabelsFieldNumber},
                                               {v1::SegmentResponse::kMapsFieldNumber, kUncertaintyMap}};

}  // namespace

bool ParseSegmentRequest(IncomingSegmentRequest* request) {
  return SplitLargeFields(&request->bytes, kSegmentRequest, &request->split) &&
         request->message.ParseFromString(request->split.rest);
}

grpc::ByteBuffer SerializeSegmentResponse(const v1::SegmentResponse& response,
                                          absl::Span<const grpc::Slice> large_fields) {
  return JoinLargeFields(response.SerializeAsString(), kSegmentResponse, large_fields);
}

}  // namespace candor
