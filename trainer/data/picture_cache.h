// SPDX-License-Identifier: Apache-2.0
//
// Decoded pictures kept in memory. Those that came first stay: every epoch visits all of them in a new order, so that
// none is likelier to be needed than another and replacing them would only cost.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "trainer/data/dataset.h"

namespace candor {

// Thread-safe.
class PictureCache {
 public:
  // Keeps at most `max_bytes` of pixels and labels. `dataset` is borrowed.
  PictureCache(const Dataset& dataset, int64_t max_bytes);

  // From memory, or else read; two threads that ask for the same picture may both read it.
  absl::StatusOr<std::shared_ptr<const LabelledPicture>> Get(int index) ABSL_LOCKS_EXCLUDED(mu_);

  int64_t bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const Dataset& dataset_;
  const int64_t max_bytes_;
  mutable absl::Mutex mu_;
  std::vector<std::shared_ptr<const LabelledPicture>> kept_
      ABSL_GUARDED_BY(mu_);  // shared with the threads that use it
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace candor
