// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/engine/cuda/plugin.h"
#include "core/segmenter/cuda_answer.h"
#include "core/segmenter/side_stream.h"
#include "core/uncertainty/score_reducer.h"

namespace candor {

// The fused pass on the GPU: scores stay there; labels, figures and the maps that were asked for come back, on a stream
// of their own, so that the next batch can be computed meanwhile.
class CudaReducer : public ScoreReducer {
 public:
  // `plugin` is borrowed and lives as long as the process. `device` is the CPU in tests.
  CudaReducer(CudaPlugin* plugin, torch::Device device) : plugin_(plugin), outgoing_(device) {}

  void Reset(int members, const ScoreMeaning& meaning) override;
  absl::Status Add(int index, const Scores& scores) override;
  void WaitForMembers() override;
  absl::StatusOr<PendingAnswers> Finish(absl::Span<const PictureRequest> requests) override;

 private:
  CudaReduceJob JobFor(int64_t picture, const Region& region) const;
  // Queues what makes the picture's answer. Aborted: the GPU has failed.
  absl::StatusOr<CudaAnswer> Start(int64_t picture, const PictureRequest& wanted) const;

  // The softmax of a region averaged over members, by Torch's operators: [C, height, width] on the device. For
  // evaluation: it makes full-size tensors, one member at a time.
  torch::Tensor MeanProbabilities(int64_t picture, const Region& region) const;

  CudaPlugin* const plugin_;
  const SideStream outgoing_;
  torch::Tensor scores_;   // [N, M, C, h, w] float32
  torch::Tensor learned_;  // [N, K, h, w] float32, or undefined
  std::vector<UncertaintyKind> learned_kinds_;
  int members_ = 0;
  int added_ = 0;
};

}  // namespace candor
