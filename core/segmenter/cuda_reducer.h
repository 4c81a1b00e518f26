// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/engine/cuda/plugin.h"
#include "core/uncertainty/score_reducer.h"

namespace candor {

// The fused pass on the GPU: scores stay there, labels and maps come back once.
class CudaReducer : public ScoreReducer {
 public:
  // `plugin` is borrowed and lives as long as the process.
  explicit CudaReducer(CudaPlugin* plugin) : plugin_(plugin) {}

  void Reset(int members) override;
  absl::Status Add(int index, const Scores& scores, int64_t batch_index) override;
  absl::StatusOr<Segmentation> Finish(PictureSize size, absl::Span<const KindRequest> kinds) override;

 private:
  CudaPlugin* const plugin_;
  torch::Tensor scores_;   // [M, C, h, w] float32
  torch::Tensor learned_;  // [h, w] float32, or undefined
  int members_ = 0;
};

}  // namespace candor
