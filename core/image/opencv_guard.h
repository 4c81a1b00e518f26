// SPDX-License-Identifier: Apache-2.0
//
// The boundary to OpenCV: its exceptions end here, and it starts no threads of its own. For .cc files of this folder
// only.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "opencv2/core.hpp"

namespace candor {

// Runs `action`; Internal with OpenCV's reason if it throws.
template <typename Action>
absl::Status GuardOpenCv(absl::string_view name, Action&& action) {
  static const bool is_single_threaded = (cv::setNumThreads(1), true);  // callers bring their own pool
  static_cast<void>(is_single_threaded);
  try {
    action();
  } catch (const cv::Exception& exception) {
    return absl::InternalError(absl::StrCat(name, ": OpenCV: ", exception.err));
  }
  return absl::OkStatus();
}

}  // namespace candor
