// SPDX-License-Identifier: Apache-2.0
//
// The interface of libcandor_graphs.so, the part of candor that links LibTorch's CUDA library: programs that serve
// without a GPU need not have that. Loaded at run time with --device=cuda, after libtorch_cuda.so.
#pragma once

#include <functional>
#include <memory>
#include <vector>

namespace candor {

// What was recorded once, and starts again with one call: the kernels' launches cost as much as the work of a small
// picture. Uses the memory that it was recorded with. Thread-compatible.
class CapturedGraph {
 public:
  virtual ~CapturedGraph() = default;

  // On the current stream; returns at once. Throws c10::Error.
  virtual void Replay() = 0;
};

// Thread-compatible.
class GraphCapturer {
 public:
  using Body = std::function<void()>;

  virtual ~GraphCapturer() = default;

  // Runs the bodies once so that libraries choose their algorithms, then records them, at least one. Each gets a stream
  // of its own, so that they compute side by side; the graph ends when all have. A body runs more than once: what it
  // gives must depend on tensors that outlive the graph, which it reads where they are, and its tensors that are held
  // are valid after each replay until the next of any graph of this capturer, which all share one pool of memory.
  // Throws c10::Error, what the bodies throw among it.
  virtual std::unique_ptr<CapturedGraph> Capture(const std::vector<Body>& bodies) = 0;
};

// Changes with every change of this file: a library of another build is refused.
inline constexpr int kGraphCapturerVersion = 1;

// What the library exports; the caller owns what it returns.
using GraphCapturerFactory = GraphCapturer* (*)(int version);  // null: another version
inline constexpr char kGraphCapturerFactoryName[] = "candor_graph_capturer";
inline constexpr char kGraphCapturerLibrary[] = "libcandor_graphs.so";

}  // namespace candor
