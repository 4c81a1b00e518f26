// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/fused_reduction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/floats_to_halves.h"
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

// The learned channel of a kind, or -1.
int ChannelOf(const LearnedScores& learned, UncertaintyKind kind) {
  if (learned.scores == nullptr) return -1;
  const auto found = std::find(learned.kinds.begin(), learned.kinds.end(), kind);
  return found == learned.kinds.end() ? -1 : static_cast<int>(found - learned.kinds.begin());
}

}  // namespace

// Buffers of one thread, and the job that points into them.
class FusedReduction::RowBuffers {
 public:
  explicit RowBuffers(const FusedReduction& reduction)
      : scores_(reduction.scores_),
        learned_(reduction.learned_),
        stride_(static_cast<size_t>(scores_.width()) + kMaxLanes + 1),
        out_stride_(static_cast<size_t>(reduction.result_.width) + kMaxLanes),
        rows_per_kind_(learned_.is_per_class ? scores_.classes() : 1),
        score_rows_(stride_ * scores_.members() * scores_.classes()),
        label_row_(out_stride_),
        probability_rows_(reduction.result_.probabilities.empty() ? 0 : out_stride_ * scores_.classes()),
        scratch_(hwy::AllocateAligned<float>(static_cast<size_t>(4) * scores_.classes() * kMaxLanes)) {
    const size_t lanes = static_cast<size_t>(scores_.classes()) * kMaxLanes;
    row_scratch_ = {scratch_.get(), scratch_.get() + lanes, scratch_.get() + 2 * lanes, scratch_.get() + 3 * lanes};
    job_.members = scores_.members();
    job_.classes = scores_.classes();
    job_.is_dirichlet = reduction.meaning_ == ClassScores::kDirichlet;
    job_.variance_scale = job_.is_dirichlet ? 1.0f : 1.0f / (static_cast<float>(job_.members) - 1);
    job_.width = reduction.result_.width;
    job_.score_rows = score_rows_.data();
    job_.row_stride = stride_;
    job_.column_index = reduction.columns_.index.data();
    job_.column_fraction = reduction.columns_.fraction.data();
    job_.label_row = label_row_.data();
    job_.probability_rows = probability_rows_.empty() ? nullptr : probability_rows_.data();
    job_.probability_stride = out_stride_;
    job_.needs_softmax = job_.members > 1 || job_.is_dirichlet || job_.probability_rows != nullptr;
    AddKinds(reduction.result_.kinds);
  }

  // Scores at the row that lies `fraction` below low-resolution row y0.
  void LoadScores(int y0, float fraction) {
    float* row = score_rows_.data();
    for (int m = 0; m < scores_.members(); ++m) {
      for (int c = 0; c < scores_.classes(); ++c, row += stride_) LoadRow(scores_, m, c, y0, fraction, row);
    }
    for (size_t k = 0; k < channels_.size(); ++k) {
      if (channels_[k] < 0) continue;
      for (int r = 0; r < rows_per_kind_; ++r) {
        LoadRow(*learned_.scores, 0, channels_[k] + r, y0, fraction, learned_rows(k) + r * stride_);
      }
    }
  }

  const RowJob& job() const { return job_; }
  const RowScratch& row_scratch() const { return row_scratch_; }
  const std::vector<float>& label_row() const { return label_row_; }
  const float* kind_row(size_t k) const { return kinds_[k].row; }
  const float* probability_row(int class_index) const { return &probability_rows_[class_index * out_stride_]; }

 private:
  void AddKinds(const std::vector<KindResult>& results) {
    learned_rows_.resize(results.size() * rows_per_kind_ * stride_);
    kind_rows_.resize(results.size() * out_stride_);
    for (size_t k = 0; k < results.size(); ++k) {
      const UncertaintyKind kind = results[k].statistics.kind;
      channels_.push_back(ChannelOf(learned_, kind));
      const bool is_learned = channels_[k] >= 0;
      kinds_.push_back({kind, is_learned ? learned_rows(k) : nullptr, learned_.is_per_class,
                        UncertaintyKindMax(kind, scores_.classes()), &kind_rows_[k * out_stride_]});
      if (is_learned) continue;
      job_.needs_softmax = true;
      job_.needs_entropy |= kind == UncertaintyKind::kPredictiveEntropy || kind == UncertaintyKind::kMutualInformation;
      job_.needs_member_entropy |=
          kind == UncertaintyKind::kExpectedEntropy || kind == UncertaintyKind::kMutualInformation;
      job_.needs_votes |= kind == UncertaintyKind::kDisagreement;
    }
    job_.kinds = kinds_.data();
    job_.kind_count = static_cast<int>(kinds_.size());
  }

  float* learned_rows(size_t k) { return &learned_rows_[k * rows_per_kind_ * stride_]; }

  void LoadRow(const MemberScores& scores, int member, int class_index, int y0, float fraction, float* row) const {
    scores.InterpolateRow(member, class_index, y0, fraction, row);
    std::fill(row + scores.width(), row + stride_, row[scores.width() - 1]);
  }

  const MemberScores& scores_;
  const LearnedScores& learned_;
  const size_t stride_;      // of rows of scores
  const size_t out_stride_;  // of rows of the result
  const int rows_per_kind_;  // of learned scores
  std::vector<float> score_rows_;
  std::vector<float> label_row_;
  std::vector<float> probability_rows_;
  std::vector<int> channels_;        // by kind asked for: its learned channel, or -1
  std::vector<float> learned_rows_;  // by kind asked for
  std::vector<float> kind_rows_;
  std::vector<RowKind> kinds_;
  hwy::AlignedFreeUniquePtr<float[]> scratch_;
  RowScratch row_scratch_;
  RowJob job_;
};

UpsampleTable::UpsampleTable(int low, int first, int count) {
  // In float, like PyTorch: the last position must not step over the last source.
  const float scale = static_cast<float>(low - 1) / static_cast<float>(4 * low - 1);
  for (int i = first; i < first + count; ++i) {
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

FusedReduction::FusedReduction(const MemberScores& scores, const LearnedScores& learned, const Region& region,
                               const PredictRequest& request, ClassScores meaning)
    : scores_(scores),
      learned_(learned),
      meaning_(meaning),
      columns_(scores.width(), region.x, region.width),
      rows_(scores.height(), region.y, region.height) {
  const size_t pixels = static_cast<size_t>(region.height) * region.width;
  result_.width = region.width;
  result_.height = region.height;
  result_.members = scores.members();
  result_.labels.resize(pixels);
  result_.classes.resize(scores.classes());
  if (request.want_probabilities) result_.probabilities.resize(pixels * scores.classes());
  for (const KindRequest& wanted : request.kinds) {
    KindResult kind;
    kind.statistics.kind = wanted.kind;
    kind.statistics.threshold = wanted.threshold;
    if (wanted.want_map && wanted.as_halves) kind.halves.resize(pixels);
    if (wanted.want_map && !wanted.as_halves) kind.map.resize(pixels);
    result_.kinds.push_back(std::move(kind));
    accumulators_.emplace_back(wanted, UncertaintyKindMax(wanted.kind, scores.classes()));
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

void FusedReduction::GatherRow(int y, const RowBuffers& buffers, Gathered* gathered) const {
  for (size_t k = 0; k < gathered->kinds.size(); ++k) gathered->kinds[k].AddRow(buffers.kind_row(k), result_.width);
  const uint8_t* labels = &result_.labels[static_cast<size_t>(y) * result_.width];
  const float* first_kind = gathered->kinds.empty() ? nullptr : buffers.kind_row(0);
  for (int x = 0; x < result_.width; ++x) {
    ClassTally& tally = gathered->classes[labels[x]];
    ++tally.pixels;
    if (first_kind != nullptr) tally.uncertainty_sum += first_kind[x];
  }
}

void FusedReduction::KeepRow(int y, const RowBuffers& buffers) {
  const size_t start = static_cast<size_t>(y) * result_.width;
  std::transform(buffers.label_row().begin(), buffers.label_row().begin() + result_.width, &result_.labels[start],
                 [](float label) { return static_cast<uint8_t>(label); });
  for (size_t k = 0; k < result_.kinds.size(); ++k) {
    KindResult& kind = result_.kinds[k];
    const absl::Span<const float> row(buffers.kind_row(k), static_cast<size_t>(result_.width));
    if (!kind.map.empty()) std::copy(row.begin(), row.end(), &kind.map[start]);
    if (!kind.halves.empty()) FloatsToHalves(row, &kind.halves[start]);
  }
  if (result_.probabilities.empty()) return;
  const size_t plane = static_cast<size_t>(result_.height) * result_.width;
  for (int c = 0; c < scores_.classes(); ++c) {
    std::copy_n(buffers.probability_row(c), result_.width, &result_.probabilities[c * plane + start]);
  }
}

void FusedReduction::Rows(int begin, int end) {
  RowBuffers buffers(*this);
  Gathered gathered = MakeGathered();
  for (int y = begin; y < end; ++y) {
    buffers.LoadScores(rows_.index[y], rows_.fraction[y]);
    HWY_DYNAMIC_DISPATCH(ReduceRow)(buffers.job(), buffers.row_scratch());
    KeepRow(y, buffers);
    GatherRow(y, buffers, &gathered);
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
