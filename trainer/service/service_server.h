// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "security/security.h"
#include "trainer/service/training_runs.h"

namespace candor {

struct ServiceServerOptions {
  std::string listen;            // HOST:PORT, port 0 takes a free one
  std::string metrics_listen;    // the same, or "off"
  std::string model_repository;  // "": nothing can be published
};

// candor.v1.Training, grpc.health.v1 and reflection on one port, and the metrics page. The destructor ends open calls
// and closes both.
class ServiceServer {
 public:
  // `runs` outlives the server. Unavailable: an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<ServiceServer>> Start(const ServiceServerOptions& options, Security security,
                                                              TrainingRuns* runs);
  virtual ~ServiceServer() = default;

  // HOST:PORT with the real port.
  virtual const std::string& grpc_address() const = 0;
  virtual const std::string& metrics_address() const = 0;  // "off" without metrics
};

}  // namespace candor
