// SPDX-License-Identifier: Apache-2.0
//
// Names on gRPC's own health service, which has Check and Watch.
#include "server/health/health_board.h"

#include <grpcpp/health_check_service_interface.h>

namespace candor {

void HealthBoard::ShowModels(const std::set<std::string>& names) {
  // Held while calling out, so that two changes arrive in their order; gRPC only takes a lock of its own.
  absl::MutexLock lock(&mu_);
  for (const std::string& name : names) health_->SetServingStatus(name, true);
  for (const std::string& service : services_) health_->SetServingStatus(service, !names.empty());
  for (const std::string& name : shown_) {
    if (names.count(name) == 0) health_->SetServingStatus(name, false);
  }
  shown_ = names;
  if (!is_closed_) listener_(names);
}

void HealthBoard::Close() {
  absl::MutexLock lock(&mu_);
  health_->Shutdown();
  is_closed_ = true;
  listener_({});
}

}  // namespace candor
