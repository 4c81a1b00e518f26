// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/model_registry.h"

namespace candor {

// Which models are served now. A call takes the models as they are when it arrives and keeps them until its answer, so
// that a change never pulls a model from under it. Thread-safe.
class ModelHub {
 public:
  explicit ModelHub(std::shared_ptr<const ModelRegistry> models) : models_(std::move(models)) {}

  std::shared_ptr<const ModelRegistry> Now() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return models_;
  }

  void Replace(std::shared_ptr<const ModelRegistry> models) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      models_.swap(models);
    }
    // The old ones go here or with their last call, outside the lock.
  }

 private:
  mutable absl::Mutex mu_;
  std::shared_ptr<const ModelRegistry> models_ ABSL_GUARDED_BY(mu_);
};

}  // namespace candor
