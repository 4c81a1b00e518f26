// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// Tells systemd, if it has started this process with Type=notify, what sd_notify(3) lists: "READY=1", "WATCHDOG=1",
// "STOPPING=1". Thread-safe.
void TellServiceManager(const char* state);

}  // namespace candor
