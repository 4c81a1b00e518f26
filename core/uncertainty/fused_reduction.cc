// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/fused_reduction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/uncertainty/row_job.h"
#include "hwy/aligned_allocator.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/uncertainty/fused_reduction.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "core/uncertainty/reduce_row-inl.h"

#if HWY_ONCE
namespace candor {

HWY_EXPORT(ReduceRow);

namespace {

bool Contains(absl::Span<const KindRequest> kinds, UncertaintyKind kind) {
  return std::any_of(kinds.begin(), kinds.end(), [&](const KindRequest& k) { return k.kind == kind; });
}

// Buffers of one thread, and the job that points into them.
class RowBuffers {
 public:
  RowBuffers(const MemberScores& scores, bool has_learned, int width, const std::vector<UncertaintyKind>& kinds,
             const UpsampleTable& columns)
      : stride_(static_cast<size_t>(scores.width()) + kMaxLanes + 1),
        score_rows_(stride_ * scores.members() * scores.classes()),
        learned_row_(has_learned ? stride_ : 0),
        label_row_(width + kMaxLanes),
        kind_rows_(kinds.size(), std::vector<float>(width + kMaxLanes)),
        scratch_(hwy::AllocateAligned<float>(static_cast<size_t>(3) * scores.classes() * kMaxLanes)) {
    for (auto& row : kind_rows_) kind_pointers_.push_back(row.data());
    const size_t lanes = static_cast<size_t>(scores.classes()) * kMaxLanes;
    row_scratch_ = {scratch_.get(), scratch_.get() + lanes, scratch_.get() + 2 * lanes};
    job_.members = scores.members();
    job_.classes = scores.classes();
    job_.width = width;
    job_.score_rows = score_rows_.data();
    job_.row_stride = stride_;
    job_.learned_row = has_learned ? learned_row_.data() : nullptr;
    job_.column_index = columns.index.data();
    job_.column_fraction = columns.fraction.data();
    job_.kinds = kinds.data();
    job_.kind_count = static_cast<int>(kinds.size());
    job_.label_row = label_row_.data();
    job_.kind_rows = kind_pointers_.data();
  }

  void LoadScores(const MemberScores& scores, const MemberScores* learned, int y0, float fraction) {
    float* row = score_rows_.data();
    for (int m = 0; m < scores.members(); ++m) {
      for (int c = 0; c < scores.classes(); ++c, row += stride_) LoadRow(scores, m, c, y0, fraction, row);
    }
    if (learned != nullptr) LoadRow(*learned, 0, 0, y0, fraction, learned_row_.data());
  }

  RowJob& job() { return job_; }
  const RowScratch& row_scratch() const { return row_scratch_; }
  const std::vector<float>& label_row() const { return label_row_; }
  const std::vector<std::vector<float>>& kind_rows() const { return kind_rows_; }

 private:
  void LoadRow(const MemberScores& scores, int member, int class_index, int y0, float fraction, float* row) const {
    scores.InterpolateRow(member, class_index, y0, fraction, row);
    std::fill(row + scores.width(), row + stride_, row[scores.width() - 1]);
  }

  const size_t stride_;
  std::vector<float> score_rows_;
  std::vector<float> learned_row_;
  std::vector<float> label_row_;
  std::vector<std::vector<float>> kind_rows_;
  std::vector<float*> kind_pointers_;
  hwy::AlignedFreeUniquePtr<float[]> scratch_;
  RowScratch row_scratch_;
  RowJob job_;
};

}  // namespace

UpsampleTable::UpsampleTable(int low, int count) {
  // In float, like PyTorch: the last position must not step over the last source.
  const float scale = static_cast<float>(low - 1) / static_cast<float>(4 * low - 1);
  for (int i = 0; i < count; ++i) {
    const float source = scale * static_cast<float>(i);
    index.push_back(std::min(static_cast<int>(source), low - 1));
    fraction.push_back(source - static_cast<float>(index.back()));
  }
  const size_t padded = (static_cast<size_t>(count) + kMaxLanes - 1) / kMaxLanes * kMaxLanes;
  index.resize(padded, index.back());
  fraction.resize(padded, fraction.back());
}

struct FusedReduction::Gathered {
  std::vector<KindAccumulator> kinds;
  std::vector<ClassTally> classes;
};

FusedReduction::FusedReduction(const MemberScores& scores, const MemberScores* learned, int height, int width,
                               absl::Span<const KindRequest> kinds)
    : scores_(scores), learned_(learned), columns_(scores.width(), width), rows_(scores.height(), height) {
  const size_t pixels = static_cast<size_t>(height) * width;
  result_.width = width;
  result_.height = height;
  result_.labels.resize(pixels);
  result_.classes.resize(scores.classes());
  for (const KindRequest& request : kinds) {
    KindResult kind;
    kind.statistics.kind = request.kind;
    kind.statistics.threshold = request.threshold;
    if (request.want_map) kind.map.resize(pixels);
    result_.kinds.push_back(std::move(kind));
    accumulators_.emplace_back(request, UncertaintyKindMax(request.kind, scores.classes()));
  }
}

FusedReduction::Gathered FusedReduction::MakeGathered() const {
  Gathered gathered;
  gathered.classes.resize(scores_.classes());
  for (const KindResult& kind : result_.kinds) {
    KindRequest request;
    request.kind = kind.statistics.kind;
    request.threshold = kind.statistics.threshold;
    gathered.kinds.emplace_back(request, UncertaintyKindMax(request.kind, scores_.classes()));
  }
  return gathered;
}

void FusedReduction::GatherRow(int y, const std::vector<std::vector<float>>& kind_rows, Gathered* gathered) const {
  for (size_t k = 0; k < kind_rows.size(); ++k) gathered->kinds[k].AddRow(kind_rows[k].data(), result_.width);
  const uint8_t* labels = &result_.labels[static_cast<size_t>(y) * result_.width];
  for (int x = 0; x < result_.width; ++x) {
    ClassTally& tally = gathered->classes[labels[x]];
    ++tally.pixels;
    if (!kind_rows.empty()) tally.uncertainty_sum += kind_rows[0][x];
  }
}

void FusedReduction::Rows(int begin, int end) {
  std::vector<UncertaintyKind> kinds;
  std::vector<KindRequest> requests;
  for (const KindResult& kind : result_.kinds) {
    kinds.push_back(kind.statistics.kind);
    requests.push_back({kind.statistics.kind});
  }
  RowBuffers buffers(scores_, learned_ != nullptr, result_.width, kinds, columns_);
  buffers.job().needs_member_entropy =
      Contains(requests, UncertaintyKind::kExpectedEntropy) || Contains(requests, UncertaintyKind::kMutualInformation);
  buffers.job().needs_entropy = Contains(requests, UncertaintyKind::kPredictiveEntropy) ||
                                Contains(requests, UncertaintyKind::kMutualInformation);
  Gathered gathered = MakeGathered();
  for (int y = begin; y < end; ++y) {
    buffers.LoadScores(scores_, learned_, rows_.index[y], rows_.fraction[y]);
    HWY_DYNAMIC_DISPATCH(ReduceRow)(buffers.job(), buffers.row_scratch());
    const size_t start = static_cast<size_t>(y) * result_.width;
    std::transform(buffers.label_row().begin(), buffers.label_row().begin() + result_.width, &result_.labels[start],
                   [](float label) { return static_cast<uint8_t>(label); });
    for (size_t k = 0; k < kinds.size(); ++k) {
      if (result_.kinds[k].map.empty()) continue;
      std::copy_n(buffers.kind_rows()[k].begin(), result_.width, &result_.kinds[k].map[start]);
    }
    GatherRow(y, buffers.kind_rows(), &gathered);
  }
  absl::MutexLock lock(&mutex_);
  for (size_t k = 0; k < accumulators_.size(); ++k) accumulators_[k].Merge(gathered.kinds[k]);
  for (size_t c = 0; c < gathered.classes.size(); ++c) {
    result_.classes[c].pixels += gathered.classes[c].pixels;
    result_.classes[c].uncertainty_sum += gathered.classes[c].uncertainty_sum;
  }
}

absl::StatusOr<Segmentation> FusedReduction::Finish() {
  absl::MutexLock lock(&mutex_);
  for (size_t k = 0; k < accumulators_.size(); ++k) {
    if (!accumulators_[k].all_finite()) {
      return absl::InternalError(
          absl::StrCat("NON_FINITE_OUTPUT: ", UncertaintyKindName(result_.kinds[k].statistics.kind),
                       " has a value that is not finite"));
    }
    result_.kinds[k].statistics = accumulators_[k].Finish();
  }
  return std::move(result_);
}

}  // namespace candor
#endif  // HWY_ONCE
