// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace grpc {
class HealthCheckServiceInterface;
}

namespace candor {

// What grpc.health.v1 says, for Check and Watch: "" is the process, then each service, each model and each alias. A
// name never shown is NOT_FOUND for Check and SERVICE_UNKNOWN for Watch; one that was shown and is gone is NOT_SERVING,
// since gRPC's health service forgets no name. Thread-safe.
class HealthBoard {
 public:
  // Learns which models and aliases serve; none once the board is closed. Must not call the board.
  using Listener = std::function<void(const std::set<std::string>& names)>;

  // `health` is the server's and outlives the board. `services` serve as soon as, and as long as, there is a model.
  HealthBoard(grpc::HealthCheckServiceInterface* health, std::vector<std::string> services, Listener listener)
      : health_(health), services_(std::move(services)), listener_(std::move(listener)) {}

  HealthBoard(const HealthBoard&) = delete;
  HealthBoard& operator=(const HealthBoard&) = delete;

  // These models and aliases serve from now on; those shown before and not among them do not.
  void ShowModels(const std::set<std::string>& names) ABSL_LOCKS_EXCLUDED(mu_);

  // Nothing serves any more, "" included, whatever is shown later.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  grpc::HealthCheckServiceInterface* const health_;
  const std::vector<std::string> services_;
  const Listener listener_;
  absl::Mutex mu_;
  std::set<std::string> shown_ ABSL_GUARDED_BY(mu_);
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace candor
