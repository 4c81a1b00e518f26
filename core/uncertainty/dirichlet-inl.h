// SPDX-License-Identifier: Apache-2.0
//
// What a Dirichlet over class probabilities says, in closed form, on SIMD vectors: one pixel a lane. Its parameters are
// a_c = exp(score_c) with sum a; p = a / sum a is its mean. Malinin and Gales 2018, appendix B; Malinin et al. 2020,
// section 3. Included once per instruction set by Highway's foreach_target; see fused_reduction.cc.

#if defined(CANDOR_DIRICHLET_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CANDOR_DIRICHLET_INL_H_
#undef CANDOR_DIRICHLET_INL_H_
#else
#define CANDOR_DIRICHLET_INL_H_
#endif

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// ln of the largest sum of parameters that is told apart from larger ones: everything squared still fits a float. A
// Dirichlet of that sum has a deviation below 1e-9, so nothing a map shows is lost.
inline constexpr float kMaxLogPrecision = 40.0f;

// digamma(1 + x), x >= 0, to 1e-6 or the last bits of a float: five steps of digamma(z) = digamma(z + 1) - 1 / z, then
// Stirling's series, whose first term left out is below 3e-9 at z >= 6 (Abramowitz and Stegun, 6.3.5 and 6.3.18).
template <class D, class V>
HWY_INLINE V DigammaOnePlus(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  V z = hn::Add(x, one);
  V steps = hn::Zero(d);
  for (int i = 0; i < 5; ++i) {
    steps = hn::Add(steps, hn::Div(one, z));
    z = hn::Add(z, one);
  }
  const V inverse = hn::Div(one, z);
  const V square = hn::Mul(inverse, inverse);
  V series = hn::MulAdd(square, hn::Set(d, -1.0f / 252), hn::Set(d, 1.0f / 120));
  series = hn::MulAdd(square, series, hn::Set(d, -1.0f / 12));
  series = hn::MulAdd(square, series, hn::Mul(inverse, hn::Set(d, -0.5f)));
  return hn::Sub(hn::Add(hn::Log(d, z), series), steps);
}

// sum a from the largest score and sum_c exp(score_c - largest); saturates at exp(kMaxLogPrecision).
template <class D, class V>
HWY_INLINE V DirichletPrecision(D d, V largest, V sum) {
  return hn::Exp(d, hn::Min(hn::Add(largest, hn::Log(d, sum)), hn::Set(d, kMaxLogPrecision)));
}

// Variance of class c's probability: p_c (1 - p_c) / (1 + sum a).
template <class D, class V>
HWY_INLINE V DirichletVariance(D d, V p, V precision) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(hn::Mul(p, hn::Max(hn::Sub(one, p), hn::Zero(d))), hn::Add(one, precision));
}

// Class c's part of the expected entropy of the categorical distributions: p_c (digamma(1 + sum a) - digamma(1 + a_c)).
template <class D, class V>
HWY_INLINE V DirichletEntropyTerm(D d, V p, V precision, V digamma_of_precision) {
  return hn::Mul(p, hn::Sub(digamma_of_precision, DigammaOnePlus(d, hn::Mul(p, precision))));
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#endif  // CANDOR_DIRICHLET_INL_H_
