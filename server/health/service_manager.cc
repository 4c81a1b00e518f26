// SPDX-License-Identifier: Apache-2.0
#include "server/health/service_manager.h"

#include <systemd/sd-daemon.h>

namespace candor {

// Whether it was heard makes no difference to the server.
void TellServiceManager(const char* state) { sd_notify(/*unset_environment=*/0, state); }

}  // namespace candor
