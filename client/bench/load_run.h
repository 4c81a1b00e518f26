// SPDX-License-Identifier: Apache-2.0
//
// Puts a load on a server.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/bench/answer_check.h"
#include "client/bench/load_picture.h"
#include "client/bench/load_plan.h"
#include "client/bench/load_recorder.h"
#include "client/segmentation_client.h"

namespace candor {

struct LoadTarget {
  SegmentationClient* client = nullptr;
  SegmentOptions options;             // of each call
  std::vector<LoadPicture> pictures;  // at least one; sent in turn
  AnswerCheck* check = nullptr;       // not null: sees every answer that is counted
};

struct LoadProgress {
  double elapsed_s = 0;  // of what is counted; negative in the warm-up
  int64_t ended = 0;
  int64_t errors = 0;
};

struct LoadOutcome {
  std::vector<LoadSample> samples;
  std::map<absl::StatusCode, std::string> first_messages;
};

// One blocking call.
absl::StatusOr<SegmentResult> SegmentPicture(const LoadPicture& picture, const SegmentOptions& options,
                                             SegmentationClient* client);

// Blocks until the plan is done and every call has ended, or LoadRecorder::kMaxSamples calls have. A stream
// that breaks counts as one more call, failed, and its camera ends. The plan has a
// duration or a number of requests. `progress` runs about four times a second on this thread.
LoadOutcome RunLoad(const LoadPlan& plan, const LoadTarget& target,
                    const std::function<void(const LoadProgress&)>& progress);

}  // namespace candor
