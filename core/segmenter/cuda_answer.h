// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/engine/cuda/plugin.h"
#include "core/uncertainty/segmentation.h"
#include "core/uncertainty/statistics.h"

namespace candor {

// One picture's answer: where the kernel puts it, and its way to the host. Only what was asked for exists and is
// copied. For use in the order of the methods. Throws c10::Error. Thread-compatible.
class CudaAnswer {
 public:
  // `kinds`: each at most once. `device` is the CPU in tests.
  CudaAnswer(const Region& region, absl::Span<const KindRequest> kinds, int classes, torch::Device device);

  // Sets the job's kinds and everything that it puts out.
  void SetOutputs(CudaReduceJob* job);

  // [classes][height][width] float32 on the device, which is part of the answer, too.
  void SetProbabilities(torch::Tensor probabilities) { probabilities_.device = std::move(probabilities); }

  // Queues the copies on the current stream; returns at once.
  void StartCopies();

  // Once the stream has come past them: all of a Segmentation but its members. Internal: a value is not finite.
  absl::StatusOr<Segmentation> Take() const;

 private:
  // Defined if it was asked for. `device` lives until the stream has come past the copy to `host`.
  struct Output {
    torch::Tensor device;
    torch::Tensor host;

    void StartCopy();
  };
  struct Kind {
    KindRequest request;
    KindAccumulator accumulator;
    Output map;  // [height][width] float32 or half
  };

  absl::StatusOr<KindResult> TakeKind(const Kind& kind, const CudaKindFigures& figures) const;

  Region region_;
  int classes_;
  std::vector<Kind> kinds_;
  Output labels_;   // [height][width] uint8
  Output figures_;  // bytes: CudaKindFigures of each kind, then CudaClassFigures of each class
  Output probabilities_;
};

}  // namespace candor
