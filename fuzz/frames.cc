// SPDX-License-Identifier: Apache-2.0
//
// The order of a stream's frames: the first byte is the policy, each other one a frame that comes, of one of three
// cameras, or a frame under way that is done.
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzz/target.h"
#include "server/stream/frame_queue.h"

namespace candor {
namespace {

constexpr int kCameras = 3;

// A stream as its caller sees it, next to the queue under test.
class Stream {
 public:
  explicit Stream(FrameQueue::Policy policy) : policy_(policy), queue_(policy) {}

  void Arrive(int camera) {
    const uint64_t index = cameras_.size();
    cameras_.push_back(camera);
    unanswered_[static_cast<size_t>(camera)].push_back(index);
    Follow(queue_.Arrive(index, Name(camera)));
    Demand(policy_ == FrameQueue::Policy::kLatestFrame || running_.count(index) == 1, "every frame starts at once");
  }

  // The `choice`-th of those under way.
  void Finish(size_t choice) {
    if (running_.empty()) return;
    const uint64_t index = *std::next(running_.begin(), static_cast<int64_t>(choice % running_.size()));
    running_.erase(index);
    Follow(queue_.Finish(index, Name(cameras_[index])));
  }

  void End() {
    while (!running_.empty()) Finish(0);
    for (const std::vector<uint64_t>& frames : unanswered_) Demand(frames.empty(), "every frame is answered");
    Demand(queue_.unanswered() == 0, "every frame is answered");
  }

 private:
  static std::string Name(int camera) { return absl::StrCat("camera", camera); }

  void Follow(const FrameQueue::Step& step) {
    if (step.start.has_value()) {
      for (const uint64_t other : running_) {
        Demand(policy_ == FrameQueue::Policy::kEveryFrame || cameras_[other] != cameras_[*step.start],
               "one frame of a camera is under way");
      }
      Demand(running_.insert(*step.start).second, "a frame starts once");
    }
    for (const FrameQueue::Answer& answer : step.answers) {
      std::vector<uint64_t>& frames = unanswered_[static_cast<size_t>(cameras_[answer.index])];
      Demand(!frames.empty() && frames.front() == answer.index, "a camera's answers leave in its order");
      Demand(running_.count(answer.index) == 0, "a frame under way has no answer");
      frames.erase(frames.begin());
      if (!answer.superseded_by.has_value()) continue;
      Demand(policy_ == FrameQueue::Policy::kLatestFrame, "no frame is left out unless that is wanted");
      Demand(*answer.superseded_by > answer.index && cameras_[*answer.superseded_by] == cameras_[answer.index],
             "a newer frame of the camera supersedes");
    }
    size_t open = 0;
    for (const std::vector<uint64_t>& frames : unanswered_) open += frames.size();
    Demand(static_cast<size_t>(queue_.unanswered()) == open, "unanswered frames are counted");
  }

  const FrameQueue::Policy policy_;
  FrameQueue queue_;
  std::vector<int> cameras_;  // by frame
  std::array<std::vector<uint64_t>, kCameras> unanswered_;
  std::set<uint64_t> running_;
};

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  using Policy = candor::FrameQueue::Policy;
  candor::Stream stream(data[0] % 2 == 0 ? Policy::kEveryFrame : Policy::kLatestFrame);
  for (size_t i = 1; i < size && i < 500; ++i) {
    if (data[i] < 128) {
      stream.Arrive(data[i] % candor::kCameras);
    } else {
      stream.Finish(data[i] - 128);
    }
  }
  stream.End();
  return 0;
}
