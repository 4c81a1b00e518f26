// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>

#include "trainer/training/observer.h"

namespace candor {

// One line on a terminal, drawn over and over: bar, epoch, loss, validation mIoU, speed, time left. Where `out` is no
// terminal it says nothing: events.jsonl has it all.
std::unique_ptr<TrainingObserver> MakeProgressBar(std::FILE* out);

}  // namespace candor
