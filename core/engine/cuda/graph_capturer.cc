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

// Forks from the current stream to one a body, and joins them.
void RunSideBySide(const std::vector<GraphCapturer::Body>& bodies) {
  const CUDAStream main = c10::cuda::getCurrentCUDAStream();
  std::vector<CUDAStream> branches;
  for (size_t i = 1; i < bodies.size(); ++i) {
    branches.push_back(c10::cuda::getStreamFromPool());
    LetWait(branches.back(), main);
    const CUDAStreamGuard guard(branches.back());
    bodies[i]();
  }
  bodies[0]();
  for (const CUDAStream& branch : branches) LetWait(main, branch);
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
    } catch (...) {
      Abandon(&result->graph);
      throw;
    }
    result->graph.capture_end();
    return result;
  }

 private:
  // Takes the stream out of a recording that failed, with an error of its own that says less than the first.
  static void Abandon(at::cuda::CUDAGraph* graph) {
    try {
      graph->capture_end();
    } catch (const c10::Error&) {
    }
  }

  const at::cuda::MempoolId_t pool_;
};

}  // namespace
}  // namespace candor

extern "C" __attribute__((visibility("default"))) candor::GraphCapturer* candor_graph_capturer(int version) {
  return version == candor::kGraphCapturerVersion ? new candor::Capturer : nullptr;
}
