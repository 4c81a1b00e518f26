// SPDX-License-Identifier: Apache-2.0
//
// The inner loop of the fused pass: one output row, a vector of pixels at a time. Included once per instruction set.

#if defined(CANDOR_REDUCE_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CANDOR_REDUCE_ROW_INL_H_
#undef CANDOR_REDUCE_ROW_INL_H_
#else
#define CANDOR_REDUCE_ROW_INL_H_
#endif

#include "core/uncertainty/dirichlet-inl.h"
#include "core/uncertainty/formulas-inl.h"
#include "core/uncertainty/row_job.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;

// Horizontal upsampling of one vector of pixels. Its sources lie within one vector from the first pixel's source on,
// since N pixels span N / 4 + 1 source values: a table look-up in registers instead of a gather.
class Columns {
 public:
  Columns(D d, const RowJob& job, int x)
      : d_(d),
        base_(job.column_index[x]),
        left_(Relative(d, job, x, 0)),
        right_(Relative(d, job, x, 1)),
        fraction_(hn::LoadU(d, job.column_fraction + x)) {}

  HWY_INLINE V Upsample(const float* row) const {
    const V source = hn::LoadU(d_, row + base_);
    const V left = hn::TableLookupLanes(source, left_);
    const V right = hn::TableLookupLanes(source, right_);
    return hn::MulAdd(hn::Sub(right, left), fraction_, left);
  }

 private:
  using Indices = decltype(hn::IndicesFromVec(D(), hn::Zero(DI())));

  static Indices Relative(D d, const RowJob& job, int x, int offset) {
    const DI di;
    const auto index = hn::LoadU(di, job.column_index + x);
    return hn::IndicesFromVec(d, hn::Add(index, hn::Set(di, offset - job.column_index[x])));
  }

  D d_;
  int base_;
  Indices left_, right_;
  V fraction_;
};

// One vote of a member for its label, per pixel: the first class whose logit, in scratch.exponentials, is the largest.
HWY_INLINE void Vote(D d, const RowJob& job, V largest, const RowScratch& scratch) {
  const size_t lanes = hn::Lanes(d);
  V left = hn::Set(d, 1.0f);  // 0 once the vote is given
  for (int c = 0; c < job.classes; ++c) {
    const V logit = hn::Load(d, scratch.exponentials + c * lanes);
    const V vote = hn::IfThenElseZero(hn::Eq(logit, largest), left);
    left = hn::Sub(left, vote);
    hn::Store(hn::Add(hn::Load(d, scratch.votes + c * lanes), vote), d, scratch.votes + c * lanes);
  }
}

// sum_c v_c (v_c - 1): ordered pairs of members that agree.
HWY_INLINE V AgreeingPairs(D d, const RowJob& job, const RowScratch& scratch) {
  const size_t lanes = hn::Lanes(d);
  V agreeing = hn::Zero(d);
  for (int c = 0; c < job.classes; ++c) {
    const V votes = hn::Load(d, scratch.votes + c * lanes);
    agreeing = hn::MulAdd(votes, hn::Sub(votes, hn::Set(d, 1.0f)), agreeing);
  }
  return agreeing;
}

// Runs all members over N pixels; leaves p in scratch.mean and sum_m (p_m - p)^2 in scratch.squares, per
// class, and the votes where asked for. Returns mean_m H[p_m], or 0 where nobody asked for it.
HWY_INLINE V AccumulateMembers(D d, const RowJob& job, const Columns& columns, const RowScratch& scratch) {
  const size_t lanes = hn::Lanes(d);
  for (int c = 0; c < job.classes; ++c) {
    hn::Store(hn::Zero(d), d, scratch.mean + c * lanes);
    hn::Store(hn::Zero(d), d, scratch.squares + c * lanes);
    if (job.needs_votes) hn::Store(hn::Zero(d), d, scratch.votes + c * lanes);
  }
  V entropy_sum = hn::Zero(d);
  for (int m = 0; m < job.members; ++m) {
    const float* rows = job.score_rows + static_cast<size_t>(m) * job.classes * job.row_stride;
    V largest = hn::Set(d, -3.0e38f);
    for (int c = 0; c < job.classes; ++c) {
      const V logit = columns.Upsample(rows + c * job.row_stride);
      largest = hn::Max(largest, logit);
      hn::Store(logit, d, scratch.exponentials + c * lanes);
    }
    if (job.needs_votes) Vote(d, job, largest, scratch);
    V sum = hn::Zero(d);
    V weighted = hn::Zero(d);
    for (int c = 0; c < job.classes; ++c) {
      const V below = hn::Sub(hn::Load(d, scratch.exponentials + c * lanes), largest);
      const V exponential = hn::Exp(d, below);
      sum = hn::Add(sum, exponential);
      weighted = hn::MulAdd(exponential, below, weighted);
      hn::Store(exponential, d, scratch.exponentials + c * lanes);
    }
    const V one_over_sum = hn::Div(hn::Set(d, 1.0f), sum);
    if (job.needs_member_entropy) {
      entropy_sum = hn::Add(entropy_sum, SoftmaxEntropy(d, sum, weighted, one_over_sum));
    }
    const V one_over_count = hn::Set(d, 1.0f / static_cast<float>(m + 1));
    for (int c = 0; c < job.classes; ++c) {
      V mean = hn::Load(d, scratch.mean + c * lanes);
      V squares = hn::Load(d, scratch.squares + c * lanes);
      UpdateMoments(hn::Mul(hn::Load(d, scratch.exponentials + c * lanes), one_over_sum), one_over_count, mean,
                    squares);
      hn::Store(mean, d, scratch.mean + c * lanes);
      hn::Store(squares, d, scratch.squares + c * lanes);
    }
  }
  return hn::Mul(entropy_sum, hn::Set(d, 1.0f / static_cast<float>(job.members)));
}

// The same for the one member of a Dirichlet: leaves p in scratch.mean and the variance of each class in
// scratch.squares. Returns the expected entropy, or 0 where nobody asked for it.
HWY_INLINE V AccumulateDirichlet(D d, const RowJob& job, const Columns& columns, const RowScratch& scratch) {
  const size_t lanes = hn::Lanes(d);
  V largest = hn::Set(d, -3.0e38f);
  for (int c = 0; c < job.classes; ++c) {
    const V score = columns.Upsample(job.score_rows + c * job.row_stride);
    largest = hn::Max(largest, score);
    hn::Store(score, d, scratch.exponentials + c * lanes);
  }
  V sum = hn::Zero(d);
  for (int c = 0; c < job.classes; ++c) {
    const V exponential = hn::Exp(d, hn::Sub(hn::Load(d, scratch.exponentials + c * lanes), largest));
    sum = hn::Add(sum, exponential);
    hn::Store(exponential, d, scratch.exponentials + c * lanes);
  }
  const V one_over_sum = hn::Div(hn::Set(d, 1.0f), sum);
  const V precision = DirichletPrecision(d, largest, sum);
  const V digamma = job.needs_member_entropy ? DigammaOnePlus(d, precision) : hn::Zero(d);
  V entropy = hn::Zero(d);
  for (int c = 0; c < job.classes; ++c) {
    const V p = hn::Mul(hn::Load(d, scratch.exponentials + c * lanes), one_over_sum);
    if (job.needs_member_entropy) entropy = hn::Add(entropy, DirichletEntropyTerm(d, p, precision, digamma));
    hn::Store(p, d, scratch.mean + c * lanes);
    hn::Store(DirichletVariance(d, p, precision), d, scratch.squares + c * lanes);
  }
  return hn::Max(entropy, hn::Zero(d));
}

// The class of the largest score of the one member; of equal ones the first.
HWY_INLINE V LabelOfScores(D d, const RowJob& job, const Columns& columns) {
  V label = hn::Zero(d);
  V largest = columns.Upsample(job.score_rows);
  for (int c = 1; c < job.classes; ++c) {
    const V score = columns.Upsample(job.score_rows + c * job.row_stride);
    label = hn::IfThenElse(hn::Gt(score, largest), hn::Set(d, static_cast<float>(c)), label);
    largest = hn::Max(score, largest);
  }
  return label;
}

// A student's scores of the label's class.
HWY_INLINE V LearnedAtLabel(D d, const RowJob& job, const Columns& columns, const float* rows, V label) {
  V score = columns.Upsample(rows);
  for (int c = 1; c < job.classes; ++c) {
    const auto is_label = hn::Eq(label, hn::Set(d, static_cast<float>(c)));
    score = hn::IfThenElse(is_label, columns.Upsample(rows + c * job.row_stride), score);
  }
  return score;
}

HWY_INLINE V LearnedValue(D d, const RowJob& job, const Columns& columns, const RowKind& kind, V label) {
  const V score = kind.is_learned_per_class ? LearnedAtLabel(d, job, columns, kind.learned_rows, label)
                                            : columns.Upsample(kind.learned_rows);
  return hn::Mul(Sigmoid(d, score), hn::Set(d, kind.range_max));
}

// The label of N pixels and what the kinds need of the mean probabilities.
struct PixelSummary {
  V label;             // class index as a float
  V largest, second;   // of the mean probabilities
  V squares_at_label;  // RowScratch::squares of the label's class
  V entropy;           // H[p]
  V expected_entropy;  // mean_m H[p_m]
  V agreeing;          // ordered pairs of members with one label
};

HWY_INLINE PixelSummary Summarise(D d, const RowJob& job, const Columns& columns, const RowScratch& scratch) {
  const size_t lanes = hn::Lanes(d);
  const V zero = hn::Zero(d);
  const V none = hn::Set(d, -1.0f);
  if (!job.needs_softmax) return {LabelOfScores(d, job, columns), none, none, zero, zero, zero, zero};
  const V expected_entropy =
      job.is_dirichlet ? AccumulateDirichlet(d, job, columns, scratch) : AccumulateMembers(d, job, columns, scratch);
  PixelSummary pixel{zero, none, none, zero, zero, expected_entropy, zero};
  if (job.needs_votes) pixel.agreeing = AgreeingPairs(d, job, scratch);
  for (int c = 0; c < job.classes; ++c) {
    const V p = hn::Load(d, scratch.mean + c * lanes);
    const auto is_larger = hn::Gt(p, pixel.largest);  // strictly: of equal classes the first is the label
    pixel.second = hn::Max(pixel.second, hn::Min(p, pixel.largest));
    pixel.largest = hn::Max(p, pixel.largest);
    pixel.label = hn::IfThenElse(is_larger, hn::Set(d, static_cast<float>(c)), pixel.label);
    pixel.squares_at_label =
        hn::IfThenElse(is_larger, hn::Load(d, scratch.squares + c * lanes), pixel.squares_at_label);
    if (job.needs_entropy) pixel.entropy = hn::Add(pixel.entropy, EntropyTerm(d, p));
  }
  return pixel;
}

// A kind by its formula.
HWY_INLINE V KindValue(D d, const RowJob& job, UncertaintyKind kind, const PixelSummary& pixel) {
  const auto members = static_cast<float>(job.members);
  switch (kind) {
    case UncertaintyKind::kPredictiveStddev:
      return PredictiveStddev(d, pixel.squares_at_label, job.variance_scale);
    case UncertaintyKind::kPredictiveEntropy:
      return pixel.entropy;
    case UncertaintyKind::kExpectedEntropy:
      return pixel.expected_entropy;
    case UncertaintyKind::kMutualInformation:
      return MutualInformation(d, pixel.entropy, pixel.expected_entropy);
    case UncertaintyKind::kMaxProbability:
      return MaxProbabilityDoubt(d, pixel.largest);
    case UncertaintyKind::kMargin:
      return MarginDoubt(d, pixel.largest, pixel.second);
    case UncertaintyKind::kDisagreement:
      return Disagreement(d, pixel.agreeing, members * (members - 1));
    case UncertaintyKind::kEnergy:
    case UncertaintyKind::kFeatureDensity:
      break;  // a head's alone
  }
  return hn::Zero(d);  // unreachable: the switch is complete
}

// NOLINTNEXTLINE(misc-definitions-in-headers): included by one file, which Highway compiles once per instruction set
void ReduceRow(const RowJob& job, const RowScratch& scratch) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int x = 0; x < job.width; x += lanes) {
    const Columns columns(d, job, x);
    const PixelSummary pixel = Summarise(d, job, columns, scratch);
    hn::StoreU(pixel.label, d, job.label_row + x);
    if (job.probability_rows != nullptr) {
      for (int c = 0; c < job.classes; ++c) {
        hn::StoreU(hn::Load(d, scratch.mean + c * lanes), d, job.probability_rows + c * job.probability_stride + x);
      }
    }
    for (int k = 0; k < job.kind_count; ++k) {
      const RowKind& kind = job.kinds[k];
      const V value = kind.learned_rows == nullptr ? KindValue(d, job, kind.kind, pixel)
                                                   : LearnedValue(d, job, columns, kind, pixel.label);
      hn::StoreU(value, d, kind.row + x);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#endif  // CANDOR_REDUCE_ROW_INL_H_
