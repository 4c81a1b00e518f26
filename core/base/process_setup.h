// SPDX-License-Identifier: Apache-2.0
//
// What a program of ours asks of its surroundings, once, before its first thread.
#pragma once

namespace candor {

// Freed blocks of up to 64 MiB (a float map of 16 Mpx) stay with the process, in one heap for all threads.
void ConfigureAllocator();

// Of absl::Mutex, which would end the process.
void DisableDeadlockDetection();

// To the most that this process may have.
void RaiseFileLimit();

}  // namespace candor
