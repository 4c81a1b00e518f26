// SPDX-License-Identifier: Apache-2.0
//
// Between ModelInfer of the Open Inference Protocol and our own messages: one request of it is one or more pictures.
// Pure functions, thread-safe.
#pragma once

#include <grpcpp/support/slice.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "candor/v1/segmentation.pb.h"
#include "inference/grpc_service.pb.h"

namespace candor {

inline constexpr char kImageInput[] = "image";
inline constexpr char kLabelsOutput[] = "labels";
inline constexpr char kUncertaintyOutput[] = "uncertainty";
// Request and region sizes, and answers, are bounded by what one message can hold.
inline constexpr int64_t kMostAnswerBytes = 2000000000;

// How the pictures of a model's entry come: UINT8 [N, H, W, 3], or BYTES [N], each a JPEG or PNG file.
enum class InputForm { kPixels, kFiles };

// Where a tensor lies if not in the message.
struct SharedTensor {
  std::string region;
  uint64_t offset = 0;  // in the region
  uint64_t bytes = 0;
};

struct InferOutput {
  bool is_labels = true;               // else uncertainty
  std::optional<SharedTensor> shared;  // write it there
};

// A request, checked.
struct InferPlan {
  std::vector<v1::SegmentRequest> pictures;
  // By picture, where the pixels are if not in the message above. Empty: all are in the messages.
  std::vector<SharedTensor> shared_pixels;
  std::vector<InferOutput> outputs;  // in the order of the answer
  bool is_half = false;              // uncertainty is FP16
  std::optional<std::chrono::microseconds> timeout;
};

struct InferLimits {
  int max_pictures = 1;
  int64_t max_bytes = 0;  // of an input in shared memory
};

// Reads files out of shared memory.
using SharedReader = std::function<absl::StatusOr<std::string>(const SharedTensor&)>;

// `model`: for the messages to our own service. InvalidArgument begins with the field's path and names an unknown
// parameter, input or output; else what `read_shared` says.
absl::StatusOr<InferPlan> PlanInfer(const inference::ModelInferRequest& request, const std::string& model,
                                    InputForm form, const InferLimits& limits, const SharedReader& read_shared);

// Writes bytes at a tensor's place in shared memory, from `at` on.
using SharedWriter = std::function<absl::Status(const SharedTensor&, uint64_t at, absl::string_view bytes)>;

// What a picture became.
struct InferAnswer {
  v1::SegmentResponse message;
  std::vector<grpc::Slice> large_fields;  // its labels and maps, with placeholders in the message (wire/large_fields.h)
};

// `answers` are in the order of `plan.pictures`. An output goes to raw_output_contents, or to shared memory with an
// empty string there. InvalidArgument: pictures of several sizes, or more than a message holds; else what
// `write_shared` says.
absl::Status FillInferResponse(const inference::ModelInferRequest& request, const InferPlan& plan,
                               absl::Span<const InferAnswer> answers, const SharedWriter& write_shared,
                               inference::ModelInferResponse* response);

}  // namespace candor
