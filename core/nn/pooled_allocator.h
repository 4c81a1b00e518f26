// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// Makes Torch take its CPU tensors of 256 KiB and more from one BlockPool of the process, which keeps up to 1 GiB idle.
// Torch has one allocator a process, so this has too; further calls do nothing. Tensors made before stay valid.
// Thread-safe.
void InstallPooledAllocator();

// Gives what it keeps idle back to the system: after an inference that ran out of memory, the next one may need it in
// blocks of other sizes. Thread-safe.
void GiveBackIdleMemory();

}  // namespace candor
