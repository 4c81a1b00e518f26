// SPDX-License-Identifier: Apache-2.0
//
// What a program of ours asks of its surroundings, once, before its first thread.
#pragma once

namespace candor {

// How OpenMP's threads wait between two loops: has GOMP_SPINCOUNT or OMP_WAIT_POLICY, `variable`, be `value`. Its library
// reads them before main, so this starts the program anew with the same arguments, unless the environment has either of
// them already; where that fails, it goes on as it is. For the beginning of main, while nothing is open.
void RestartWithOpenMpSetting(const char* variable, const char* value, char** argv);

// Freed blocks of up to 64 MiB (a float map of 16 Mpx) stay with the process, in one heap for all threads.
void ConfigureAllocator();

// Of absl::Mutex, which would end the process.
void DisableDeadlockDetection();

// To the most that this process may have.
void RaiseFileLimit();

}  // namespace candor
