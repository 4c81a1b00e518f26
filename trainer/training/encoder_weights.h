// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/nn/segmentation_net.h"

namespace candor {

// Starts the encoder of `net` from `path`; what the files lack stays as it is and is named in the log.
//   a .safetensors file: torchvision's ResNet-18 (conv1.weight, layer1.0.bn1.running_mean, ...; fc is left out);
//   a folder: NAME.weight.npy are convolutions by torchvision's names (layer1.0.conv1.weight.npy),
//   NAME.bn.{weight,bias, running_mean,running_var}.npy the batch norm behind convolution NAME, in any of its
//   subfolders; other files are left alone.
// NotFound: no such file or folder. InvalidArgument: nothing of the encoder in it, another shape, or a file that is
// damaged; the message names the file. May throw c10::Error.
absl::Status LoadEncoder(const std::string& path, const SegmentationNet& net);

}  // namespace candor
