// SPDX-License-Identifier: Apache-2.0
//
// What a program of ours asks of its surroundings, once, before its first thread.
#pragma once

namespace candor {

// Starts the program anew, with the same arguments and with `variable` = `value` in its environment; does not return
// then. `variable` is GOMP_SPINCOUNT or OMP_WAIT_POLICY, which say how OpenMP's idle threads wait and which its library
// reads before main. Returns at once if either is set already, and where the start fails. For main, before any thread,
// lock or file.
void RestartWithOpenMpSetting(const char* variable, const char* value, char** argv);

// GOMP_SPINCOUNT of a program that serves: 0.2 ms on Zen 4, 0.5 ms on Intel. Between two layers threads must not fall
// asleep. By default (300,000) they spin on for milliseconds after a picture, while the reply and the next request want
// their core: 49 ms of processor time a picture instead of 43 (shipped student, 480x360, ten a second, two cores).
inline constexpr char kServingSpins[] = "10000";

// Freed blocks of up to 64 MiB (a float map of 16 Mpx) stay with the process, in one heap for all threads.
void ConfigureAllocator();

// Of absl::Mutex, which would end the process.
void DisableDeadlockDetection();

// To the most that this process may have.
void RaiseFileLimit();

}  // namespace candor
