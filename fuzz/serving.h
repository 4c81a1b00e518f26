// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image/decode.h"
#include "server/segment_task.h"

namespace candor {

inline constexpr DecodeLimits kFuzzDecodeLimits = {1 << 14};

// What calls of a server need, without a network: the fake models "street" (a student that gives verdicts and has a
// group of classes) and "committee" (an ensemble of two), a worker and the inference thread. For one caller that waits
// for each answer; every few thousand calls it is made anew, since the fakes note each call.
const ServingContext& FuzzServing();

}  // namespace candor
