// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace candor {

// Of what a method of CudaPlugin returns. Aborted: the GPU has failed.
inline absl::Status CudaStatus(const char* error) {
  return error == nullptr ? absl::OkStatus() : absl::AbortedError(absl::StrCat("device cuda: ", error));
}

}  // namespace candor
