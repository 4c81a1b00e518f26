// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "server/execution/inference_job.h"

namespace candor {

// Of a picture of one row, that nobody gives up.
inline InferenceJob JobOf(std::shared_ptr<Segmenter> segmenter, int width = 2) {
  InferenceJob job;
  job.segmenter = std::move(segmenter);
  job.picture = Picture({width, 1, std::vector<uint8_t>(static_cast<size_t>(width) * 3, 1)});
  job.cancelled = [] { return false; };
  return job;
}

}  // namespace candor
