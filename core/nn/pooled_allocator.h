// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// Makes Torch take its CPU tensors of 256 KiB and more from one BlockPool of the process, which keeps up to 1 GiB idle.
// Torch has one allocator a process, so this has too; further calls do nothing. Tensors made before stay valid.
// Thread-safe.
void InstallPooledAllocator();

}  // namespace candor
