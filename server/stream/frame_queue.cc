// SPDX-License-Identifier: Apache-2.0
#include "server/stream/frame_queue.h"

#include <algorithm>

namespace candor {

FrameQueue::Step FrameQueue::Arrive(uint64_t index, absl::string_view camera) {
  std::deque<Frame>& frames = cameras_[camera];
  ++unanswered_;
  const auto is_under_way = [](const Frame& frame) { return frame.state == State::kRuns; };
  if (policy_ == Policy::kEveryFrame || std::none_of(frames.begin(), frames.end(), is_under_way)) {
    frames.push_back({index, State::kRuns});
    return {index, {}};
  }
  // At most the last one waits; it is behind the one under way, so its answer cannot leave yet.
  if (frames.back().state == State::kWaits) {
    frames.back().state = State::kIsSuperseded;
    frames.back().superseded_by = index;
  }
  frames.push_back({index, State::kWaits});
  return {};
}

FrameQueue::Step FrameQueue::Finish(uint64_t index, absl::string_view camera) {
  Step step;
  const auto found = cameras_.find(camera);
  if (found == cameras_.end()) return step;
  for (Frame& frame : found->second) {
    if (frame.index == index) frame.state = State::kIsDone;
  }
  if (Frame& last = found->second.back(); last.state == State::kWaits) {
    last.state = State::kRuns;
    step.start = last.index;
  }
  step.answers = TakeAnswers(camera);
  return step;
}

std::vector<FrameQueue::Answer> FrameQueue::TakeAnswers(absl::string_view camera) {
  std::vector<Answer> answers;
  const auto found = cameras_.find(camera);
  std::deque<Frame>& frames = found->second;
  while (!frames.empty() && (frames.front().state == State::kIsDone || frames.front().state == State::kIsSuperseded)) {
    Answer answer;
    answer.index = frames.front().index;
    if (frames.front().state == State::kIsSuperseded) answer.superseded_by = frames.front().superseded_by;
    answers.push_back(answer);
    frames.pop_front();
    --unanswered_;
  }
  if (frames.empty()) cameras_.erase(found);
  return answers;
}

}  // namespace candor
