// SPDX-License-Identifier: Apache-2.0
//
// What load is to be put on a server.
#pragma once

#include <cstdint>

namespace candor {

enum class LoadMode {
  kClosed,    // a number of callers, each with one call at a time: the server sets the pace
  kPoisson,   // calls at independent random times of a mean rate, whether or not the server keeps up
  kConstant,  // calls at equal distances, likewise
  kStreams,   // cameras, each a stream of frames at equal distances, likewise
};

struct LoadPlan {
  LoadMode mode = LoadMode::kClosed;
  int concurrency = 1;  // kClosed: callers
  int cameras = 1;      // kStreams
  bool latest = false;  // kStreams: newer frames of a camera supersede older ones
  double rate = 1;      // otherwise: calls per second; kStreams: frames per second of each camera
  int max_in_flight =
      512;  // kPoisson, kConstant: a call beyond is sent when one has ended, its latency counted from its time
  double warmup_s = 0;    // the same load before, not counted
  double duration_s = 0;  // calls are due in [0, duration_s); 0: no limit but `requests`
  int64_t requests = 0;   // counted ones, at most; 0: no limit but `duration_s`
  uint64_t seed = 1;      // of kPoisson
};

}  // namespace candor
