// SPDX-License-Identifier: Apache-2.0
//
// The parameters of ModelInfer: keys with values of several types, beside the tensors. Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "candor/v1/segmentation.pb.h"
#include "core/model/uncertainty_kind.h"
#include "inference/grpc_service.pb.h"
#include "server/kserve/infer_codec.h"

namespace candor {

using InferParameters = google::protobuf::Map<std::string, inference::InferParameter>;

struct InferRequestParameters {
  v1::Priority priority = v1::PRIORITY_UNSPECIFIED;
  std::optional<std::chrono::microseconds> timeout;
  std::optional<UncertaintyKind> kind;
  std::optional<float> threshold;
  bool is_half = false;
};

// InvalidArgument names the key: unknown, of the wrong type, or out of range. triton_enable_empty_final_response is
// taken and means nothing: every request has one reply, its final one.
absl::StatusOr<InferRequestParameters> ReadRequestParameters(const InferParameters& parameters);

// Of the tensor at `path`: where it lies in shared memory, if it does. InvalidArgument names the key: unknown, of the
// wrong type, or missing.
absl::StatusOr<std::optional<SharedTensor>> ReadSharedParameters(absl::string_view path,
                                                                 const InferParameters& parameters);
void FillSharedParameters(const SharedTensor& shared, InferParameters* parameters);

// Statistics of the uncertainty asked for in `request`, verdict, identity and times of one picture. `suffix` ends the
// keys: empty for a picture alone.
void FillAnswerParameters(const v1::SegmentResponse& answer, const v1::SegmentRequest& request,
                          const std::string& suffix, InferParameters* parameters);

}  // namespace candor
