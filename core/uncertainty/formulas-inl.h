// SPDX-License-Identifier: Apache-2.0
//
// Every uncertainty formula, on SIMD vectors: one pixel a lane. p_m is the softmax of member m of M, p their mean,
// natural logarithm. Included once per instruction set by Highway's foreach_target; see fused_reduction.cc.

#if defined(CANDOR_FORMULAS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CANDOR_FORMULAS_INL_H_
#undef CANDOR_FORMULAS_INL_H_
#else
#define CANDOR_FORMULAS_INL_H_
#endif

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One class's moments over members, updated member by member (Welford 1962): no sum of squares, so nothing cancels when
// all members agree. `count` is the number of members, this one included.
template <class V>
HWY_INLINE void UpdateMoments(V p, V one_over_count, V& mean, V& squares) {
  const V delta = hn::Sub(p, mean);
  mean = hn::MulAdd(delta, one_over_count, mean);
  squares = hn::MulAdd(delta, hn::Sub(p, mean), squares);
}

// Predictive standard deviation: z = sqrt(sum_m (p_m - p)^2 / (M - 1)) at the label's class; the sample deviation.
// Landgraf et al., DUDES (2023), section 3.2; M - 1 as in the authors' code. `variance_scale`: 1 / (M - 1); of squares
// that are a variance already, 1.
template <class D, class V>
HWY_INLINE V PredictiveStddev(D d, V squares_at_label, float variance_scale) {
  return hn::Sqrt(hn::Mul(squares_at_label, hn::Set(d, variance_scale)));
}

// One term of an entropy: -p ln p, 0 at p = 0 (Shannon 1948). Sum over classes gives H[p], the predictive entropy.
template <class D, class V>
HWY_INLINE V EntropyTerm(D d, V p) {
  // The smallest normal number keeps the logarithm finite; the factor p makes the term 0 there.
  return hn::Neg(hn::Mul(p, hn::Log(d, hn::Max(p, hn::Set(d, 1.17549435e-38f)))));
}

// Entropy of a softmax from its unnormalised form e_c = exp(l_c - max l), S = sum e_c: ln S - sum_c e_c (l_c - max l) /
// S. Its mean over members is the expected entropy (Depeweg et al. 2018, equation 4: the aleatoric part).
template <class D, class V>
HWY_INLINE V SoftmaxEntropy(D d, V sum, V weighted_logits, V one_over_sum) {
  return hn::Sub(hn::Log(d, sum), hn::Mul(weighted_logits, one_over_sum));
}

// Mutual information of label and member: H[p] - mean_m H[p_m], never below 0 (Houlsby et al. 2011; Depeweg et al.
// 2018, the epistemic part).
template <class D, class V>
HWY_INLINE V MutualInformation(D d, V predictive_entropy, V expected_entropy) {
  return hn::Max(hn::Sub(predictive_entropy, expected_entropy), hn::Zero(d));
}

// 1 - max p (Hendrycks and Gimpel 2017).
template <class D, class V>
HWY_INLINE V MaxProbabilityDoubt(D d, V largest) {
  return hn::Max(hn::Sub(hn::Set(d, 1.0f), largest), hn::Zero(d));
}

// 1 - (largest p - second largest p) (Scheffer et al. 2001).
template <class D, class V>
HWY_INLINE V MarginDoubt(D d, V largest, V second) {
  return hn::Sub(hn::Set(d, 1.0f), hn::Sub(largest, second));
}

// Share of pairs of members whose labels differ: 1 - sum_c v_c (v_c - 1) / (M (M - 1)) with v_c members for class c.
// `agreeing`: that sum. Both counts are whole numbers that a float holds, so full agreement is exactly 0.
template <class D, class V>
HWY_INLINE V Disagreement(D d, V agreeing, float ordered_pairs) {
  const V pairs = hn::Set(d, ordered_pairs);
  return hn::Div(hn::Sub(pairs, agreeing), pairs);
}

// What a student has learned, before the kind's range multiplies it: sigmoid of the upsampled score (DUDES, section
// 3.1, for the predictive standard deviation).
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V score) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(score))));
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#endif  // CANDOR_FORMULAS_INL_H_
