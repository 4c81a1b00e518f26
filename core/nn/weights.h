// SPDX-License-Identifier: Apache-2.0
//
// Weights between safetensors and a network. Keys are segmentation_models_pytorch's.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/model/safetensors.h"
#include "core/nn/segmentation_net.h"

namespace candor {

struct TensorDescription {
  std::string name;
  std::vector<int64_t> shape;
};

// The state-dict entries of a network in PyTorch's order: each module's parameters, then its buffers, then its
// children.
std::vector<TensorDescription> StateDictOf(const SegmentationNet& net);

// Copies the file's tensors into the network as float32. InvalidArgument, naming the tensor: one missing, one too many,
// another shape, not floating, or not finite. `num_batches_tracked` may be missing (0) and may be I64 only. On an error
// the network is unchanged. May throw c10::Error.
absl::Status LoadWeights(const TensorFile& file, const SegmentationNet& net);

// The same with those of the file's tensors alone that the network has and whose names begin with `prefix`; the
// network's others stay as they are.
absl::Status LoadPart(const TensorFile& file, absl::string_view prefix, const SegmentationNet& net);

// The inverse: every state-dict entry, F32 and I64.
TensorFile SaveWeights(const SegmentationNet& net);

}  // namespace candor
