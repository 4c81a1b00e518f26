// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/cpu_reducer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/uncertainty/fused_reduction.h"

namespace candor {
namespace {

// Fewest rows worth a thread's buffers.
constexpr int64_t kRowsPerTask = 16;

void CheckScores(const torch::Tensor& scores) {
  TORCH_CHECK(scores.dim() == 4 && scores.scalar_type() == torch::kFloat32 && scores.is_cpu(),
              "scores: want [N, C, h, w] float32 on the CPU, got ", scores.sizes(), " ", scores.scalar_type());
}

LogitsView ViewOf(const torch::Tensor& scores, int64_t picture) {
  return {scores.data_ptr<float>() + picture * scores.stride(0), scores.stride(1), scores.stride(2), scores.stride(3)};
}

void ResetLike(const torch::Tensor& scores, int members, MemberScores* out) {
  out->Reset(members, static_cast<int>(scores.size(1)), static_cast<int>(scores.size(2)),
             static_cast<int>(scores.size(3)));
}

// Calls Rows for all rows of all pictures, these shared out as one long list.
void ReduceAll(const std::vector<std::unique_ptr<FusedReduction>>& reductions) {
  std::vector<int64_t> ends;  // of each picture's rows in the list
  for (const auto& reduction : reductions) ends.push_back((ends.empty() ? 0 : ends.back()) + reduction->rows());
  at::parallel_for(0, ends.back(), kRowsPerTask, [&](int64_t begin, int64_t end) {
    for (size_t n = 0; n < ends.size(); ++n) {
      const int64_t start = ends[n] - reductions[n]->rows();
      const int64_t first = std::max(begin, start);
      const int64_t last = std::min(end, ends[n]);
      if (first < last) reductions[n]->Rows(static_cast<int>(first - start), static_cast<int>(last - start));
    }
  });
}

}  // namespace

void CpuReducer::Reset(int members, const ScoreMeaning& meaning) {
  members_ = members;
  added_ = 0;
  meaning_ = meaning;
}

absl::Status CpuReducer::Add(int index, const Scores& scores) {
  CheckScores(scores.logits);
  has_learned_ = scores.uncertainty.defined();
  if (has_learned_) {
    CheckScores(scores.uncertainty);
    const int64_t wanted =
        meaning_.is_learned_per_class ? scores.logits.size(1) : static_cast<int64_t>(meaning_.learned.size());
    TORCH_CHECK(scores.uncertainty.size(1) == wanted, "uncertainty: want ", wanted, " channels, got ",
                scores.uncertainty.size(1));
  }
  batch_ = scores.logits.size(0);
  if (static_cast<int64_t>(pictures_.size()) < batch_) pictures_.resize(batch_);
  std::atomic<bool> finite = true;
  at::parallel_for(0, batch_, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      if (index == 0) ResetLike(scores.logits, members_, &pictures_[n].scores);
      if (!pictures_[n].scores.Store(index, ViewOf(scores.logits, n))) finite = false;
      if (!has_learned_) continue;
      ResetLike(scores.uncertainty, 1, &pictures_[n].learned);
      if (!pictures_[n].learned.Store(0, ViewOf(scores.uncertainty, n))) finite = false;
    }
  });
  added_ = index + 1;
  if (!finite) {
    return absl::InternalError(absl::StrCat("NON_FINITE_OUTPUT: member ", index, " gave a score that is not finite"));
  }
  return absl::OkStatus();
}

absl::StatusOr<PendingAnswers> CpuReducer::Finish(absl::Span<const PictureRequest> requests) {
  TORCH_CHECK(static_cast<int64_t>(requests.size()) == batch_, "requests: want ", batch_, ", got ", requests.size());
  std::vector<std::unique_ptr<FusedReduction>> reductions;
  for (int64_t n = 0; n < batch_; ++n) {
    Picture& picture = pictures_[n];
    if (added_ < members_) picture.scores.KeepFirst(added_);
    const LearnedScores learned = {has_learned_ ? &picture.learned : nullptr, meaning_.learned,
                                   meaning_.is_learned_per_class};
    reductions.push_back(
        std::make_unique<FusedReduction>(picture.scores, learned, requests[n].region(), requests[n].request,
                                         meaning_.is_dirichlet ? ClassScores::kDirichlet : ClassScores::kLogits));
  }
  ReduceAll(reductions);
  std::vector<Segmentation> results;
  for (const auto& reduction : reductions) {
    ASSIGN_OR_RETURN(Segmentation result, reduction->Finish());
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace candor
