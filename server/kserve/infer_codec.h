// SPDX-License-Identifier: Apache-2.0
//
// Between ModelInfer of the Open Inference Protocol and our own messages: one request of it is one or more pictures.
// Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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
  std::vector<InferOutput> outputs;  // in the order of the answer
  bool is_half = false;              // uncertainty is FP16
  std::optional<std::chrono::microseconds> timeout;
};

struct InferLimits {
  int max_pictures = 1;
  int64_t max_bytes = 0;  // of an input in shared memory
};

// Reads a tensor of a request out of shared memory.
using SharedReader = std::function<absl::StatusOr<std::string>(const SharedTensor&)>;

// `model`: for the messages to our own service. InvalidArgument begins with the field's path and names an unknown
// parameter, input or output; else what `read_shared` says.
absl::StatusOr<InferPlan> PlanInfer(const inference::ModelInferRequest& request, const std::string& model,
                                    InputForm form, const InferLimits& limits, const SharedReader& read_shared);

// `answers`, in the order of `plan.pictures`, lose their labels and maps. Every output is in raw_output_contents, those
// for shared memory too. InvalidArgument: pictures of several sizes, or more than a message holds.
absl::Status FillInferResponse(const inference::ModelInferRequest& request, const InferPlan& plan,
                               std::vector<v1::SegmentResponse>* answers, inference::ModelInferResponse* response);

}  // namespace candor
