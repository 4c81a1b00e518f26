// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/cpu_reducer.h"

#include <ATen/Parallel.h>

#include "absl/strings/str_cat.h"
#include "core/uncertainty/fused_reduction.h"

namespace candor {
namespace {

// Small enough to share out evenly, large enough to pay for a thread's buffers.
constexpr int64_t kRowsPerTask = 16;

LogitsView ViewOf(const torch::Tensor& scores, int64_t batch_index) {
  TORCH_CHECK(scores.dim() == 4 && scores.scalar_type() == torch::kFloat32 && scores.is_cpu(),
              "scores: want [N, C, h, w] float32 on the CPU, got ", scores.sizes(), " ", scores.scalar_type());
  return {scores.data_ptr<float>() + batch_index * scores.stride(0), scores.stride(1), scores.stride(2),
          scores.stride(3)};
}

void ResetLike(const torch::Tensor& scores, int members, MemberScores* out) {
  out->Reset(members, static_cast<int>(scores.size(1)), static_cast<int>(scores.size(2)),
             static_cast<int>(scores.size(3)));
}

}  // namespace

void CpuReducer::Reset(int members) { members_ = members; }

absl::Status CpuReducer::Add(int index, const Scores& scores, int64_t batch_index) {
  has_learned_ = scores.uncertainty.defined();
  if (index == 0) ResetLike(scores.logits, members_, &scores_);
  bool finite = scores_.Store(index, ViewOf(scores.logits, batch_index));
  if (has_learned_) {
    ResetLike(scores.uncertainty, 1, &learned_);
    finite &= learned_.Store(0, ViewOf(scores.uncertainty, batch_index));
  }
  if (!finite) {
    return absl::InternalError(absl::StrCat("NON_FINITE_OUTPUT: member ", index, " gave a score that is not finite"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Segmentation> CpuReducer::Finish(PictureSize size, absl::Span<const KindRequest> kinds) {
  FusedReduction reduction(scores_, has_learned_ ? &learned_ : nullptr, size.height, size.width, kinds);
  at::parallel_for(0, size.height, kRowsPerTask,
                   [&](int64_t begin, int64_t end) { reduction.Rows(static_cast<int>(begin), static_cast<int>(end)); });
  return reduction.Finish();
}

}  // namespace candor
