// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "candor/v1/config.pb.h"
#include "server/execution/inference_scheduler.h"
#include "server/lifecycle/load_model.h"
#include "server/model_registry.h"

namespace candor {

// How a running server loads models.
struct ModelLoading {
  std::function<void()> prepare_thread;  // the first thing on the thread that loads, before the port opens; may be null
  SegmenterLoader load;                  // null: the models stay as they are, and there is no ModelAdmin
};

// A running server: the gRPC port, the health service, the metrics page and the threads behind them. One that no
// longer answers on its own port ends the process. The destructor drains.
class Server {
 public:
  // Opens both ports. `config` has its defaults filled and is valid, `threads` resolved; the models are warm,
  // `scheduler` is the thread they were loaded on and outlives the server. Unavailable: an address that cannot be
  // listened on, named with its field; InvalidArgument: a refused_dump_dir that cannot be used; the errors of
  // OpenSecurity. Nothing is left open then.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const v1::ServerConfig& config,
                                                       std::unique_ptr<ModelRegistry> models,
                                                       InferenceScheduler* scheduler, ModelLoading loading = {});
  virtual ~Server() = default;

  // HOST:PORT with the real port.
  virtual const std::string& grpc_address() const = 0;
  virtual const std::string& metrics_address() const = 0;  // "off" without metrics

  // Reports NOT_SERVING for drain_delay_ms, refuses new requests with UNAVAILABLE, waits for accepted ones up to
  // drain_timeout_ms, then cancels them, and closes the ports. Returns when nothing runs any more; a second call does
  // nothing. One thread only.
  virtual void Drain() = 0;

  // Takes `models` and `default_model` of `config`, and newer versions, in the background; the outcome is logged.
  virtual void Configure(const v1::ServerConfig& config) = 0;
};

}  // namespace candor
