// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "trainer/training/observer.h"

namespace candor {

// Writes FOLDER/events.jsonl: one JSON object a line, flushed at once. A run that goes on drops the lines of the steps
// it does again; a half-written last line is dropped too. Every `every_steps`-th step is written, with means over the
// steps since the line before. DataLoss: cannot be written.
std::unique_ptr<TrainingObserver> MakeEventLog(const std::string& folder, int every_steps);

}  // namespace candor
