// SPDX-License-Identifier: Apache-2.0
//
// CUDA graphs by Torch's own class, which keeps the caching allocator in step with the recording.
#include "core/engine/cuda/graph_capturer.h"

#include <ATen/Context.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <memory>
#include <vector>

namespace candor {
namespace {

using c10::cuda::CUDAStream;
using c10::cuda::CUDAStreamGuard;

class Graph : public CapturedGraph {
 public:
  void Replay() override { graph.replay(); }

  at::cuda::CUDAGraph graph;
};

// What comes next on `waiting` begins when what is now on `first` has ended.
void LetWait(const CUDAStream& waiting, const CUDAStream& first) {
  at::cuda::CUDAEvent event;
  event.record(first);
  event.block(waiting);
}

// Joins streams to the one that they came from when it goes, with an exception too: a recording with branches that are
// left alone cannot be ended.
class Branches {
 public:
  explicit Branches(const CUDAStream& main) : main_(main) {}
  ~Branches() {
    try {
      for (const CUDAStream& branch : branches_) LetWait(main_, branch);
    } catch (const c10::Error&) {
      // The recording's end says so.
    }
  }
  Branches(const Branches&) = delete;
  Branches& operator=(const Branches&) = delete;

  CUDAStream Fork() {
    const CUDAStream branch = c10::cuda::getStreamFromPool();
    LetWait(branch, main_);
    branches_.push_back(branch);
    return branch;
  }

 private:
  const CUDAStream main_;
  std::vector<CUDAStream> branches_;
};

// Forks from the current stream to one a body, and joins them.
void RunSideBySide(const std::vector<GraphCapturer::Body>& bodies) {
  Branches branches(c10::cuda::getCurrentCUDAStream());
  for (size_t i = 1; i < bodies.size(); ++i) {
    const CUDAStreamGuard guard(branches.Fork());
    bodies[i]();
  }
  bodies[0]();
}

class Capturer : public GraphCapturer {
 public:
  Capturer() : pool_(at::cuda::graph_pool_handle()) {
    // Shapes come again, so that trying cuDNN's algorithms pays.
    at::globalContext().setBenchmarkCuDNN(true);
  }

  std::unique_ptr<CapturedGraph> Capture(const std::vector<Body>& bodies) override {
    const CUDAStream caller = c10::cuda::getCurrentCUDAStream();
    const CUDAStream stream = c10::cuda::getStreamFromPool();  // the default one cannot be recorded
    LetWait(stream, caller);
    const CUDAStreamGuard guard(stream);
    for (const Body& body : bodies) body();
    stream.synchronize();
    c10::cuda::CUDACachingAllocator::emptyCache();  // the graph gets memory of its own
    auto result = std::make_unique<Graph>();
    // Other threads may allocate meanwhile.
    result->graph.capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
    try {
      RunSideBySide(bodies);
      result->graph.capture_end();
    } catch (...) {
      Abandon(&result->graph, stream.device_index());
      throw;
    }
    return result;
  }

 private:
  // Takes the stream out of a recording that failed, with an error of its own that says less than the first. Where the
  // recording cannot be ended as one that is whole, the allocator still takes part in it: its pool is given up.
  void Abandon(at::cuda::CUDAGraph* graph, c10::DeviceIndex device) {
    try {
      graph->capture_end();
      return;
    } catch (const c10::Error&) {
    }
    try {
      c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool_);
    } catch (const c10::Error&) {
    }
    pool_ = at::cuda::graph_pool_handle();
  }

  at::cuda::MempoolId_t pool_;
};

}  // namespace
}  // namespace candor

extern "C" __attribute__((visibility("default"))) candor::GraphCapturer* candor_graph_capturer(int version) {
  return version == candor::kGraphCapturerVersion ? new candor::Capturer : nullptr;
}
