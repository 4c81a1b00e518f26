// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/cross_entropy_rows.h"

#include <cmath>
#include <cstddef>

#include "hwy/aligned_allocator.h"
#include "trainer/data/dataset.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/training/cross_entropy_rows.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Scores of the classes that only fill up a vector: their exponential is 0.
constexpr float kNoClass = -1.0e30f;

// Rows of [low_width + 1][stride] floats, the last column repeated so that the column after the last may be read.
struct PictureBuffers {
  size_t stride = 0;                            // classes, filled up to whole vectors
  hwy::AlignedFreeUniquePtr<float[]> scores;    // [low_height + 1][low_width + 1][stride]
  hwy::AlignedFreeUniquePtr<float[]> gradient;  // the same
  hwy::AlignedFreeUniquePtr<float[]> row;       // [low_width + 1][stride]: scores between two rows
  hwy::AlignedFreeUniquePtr<float[]> row_gradient;
  hwy::AlignedFreeUniquePtr<float[]> pixel;  // [stride]
};

PictureBuffers MakeBuffers(const CrossEntropyJob& job) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  PictureBuffers buffers;
  buffers.stride = (static_cast<size_t>(job.classes) + lanes - 1) / lanes * lanes;
  const size_t row = (static_cast<size_t>(job.low_width) + 1) * buffers.stride;
  const size_t all = (static_cast<size_t>(job.low_height) + 1) * row;
  buffers.scores = hwy::AllocateAligned<float>(all);
  buffers.gradient = hwy::AllocateAligned<float>(all);
  buffers.row = hwy::AllocateAligned<float>(row);
  buffers.row_gradient = hwy::AllocateAligned<float>(row);
  buffers.pixel = hwy::AllocateAligned<float>(buffers.stride);
  std::fill_n(buffers.scores.get(), all, kNoClass);
  std::fill_n(buffers.gradient.get(), all, 0.0f);
  for (int y = 0; y <= job.low_height; ++y) {
    const int source_y = std::min(y, job.low_height - 1);
    for (int x = 0; x <= job.low_width; ++x) {
      const int source_x = std::min(x, job.low_width - 1);
      std::copy_n(job.logits + (static_cast<size_t>(source_y) * job.low_width + source_x) * job.classes, job.classes,
                  buffers.scores.get() + y * row + x * buffers.stride);
    }
  }
  return buffers;
}

// One pixel between the low-resolution columns `left` and `left + stride`: adds its gradient there and returns -ln p_y.
HWY_INLINE float Pixel(const PictureBuffers& buffers, size_t left, float fraction, int label, float weight) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const size_t stride = buffers.stride;
  const float* a = buffers.row.get() + left;
  const float* b = a + stride;
  float* scratch = buffers.pixel.get();
  const auto f = hn::Set(d, fraction);
  auto largest = hn::Set(d, kNoClass);
  for (size_t c = 0; c < stride; c += lanes) {
    const auto at_left = hn::Load(d, a + c);
    const auto score = hn::MulAdd(hn::Sub(hn::Load(d, b + c), at_left), f, at_left);
    largest = hn::Max(largest, score);
    hn::Store(score, d, scratch + c);
  }
  const float largest_score = hn::GetLane(hn::MaxOfLanes(d, largest));
  const float label_score = scratch[label];
  auto sum = hn::Zero(d);
  for (size_t c = 0; c < stride; c += lanes) {
    const auto below = hn::Sub(hn::Load(d, scratch + c), hn::Set(d, largest_score));
    // Exp is exact enough down to -87; what only fills up lies far below.
    const auto exponential = hn::IfThenElseZero(hn::Gt(below, hn::Set(d, -87.0f)), hn::Exp(d, below));
    sum = hn::Add(sum, exponential);
    hn::Store(exponential, d, scratch + c);
  }
  const float total = hn::GetLane(hn::SumOfLanes(d, sum));
  const auto scale = hn::Set(d, weight / total);
  float* ga = buffers.row_gradient.get() + left;
  float* gb = ga + stride;
  const auto g = hn::Set(d, 1.0f - fraction);
  for (size_t c = 0; c < stride; c += lanes) {
    const auto p = hn::Mul(hn::Load(d, scratch + c), scale);
    hn::Store(hn::MulAdd(p, g, hn::Load(d, ga + c)), d, ga + c);
    hn::Store(hn::MulAdd(p, f, hn::Load(d, gb + c)), d, gb + c);
  }
  ga[label] -= weight * (1.0f - fraction);
  gb[label] -= weight * fraction;
  return std::log(total) - (label_score - largest_score);
}

// row = upper + fraction * (lower - upper)
void BlendRows(const float* upper, const float* lower, float fraction, size_t count, float* row) {
  const hn::ScalableTag<float> d;
  const auto f = hn::Set(d, fraction);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto u = hn::Load(d, upper + i);
    hn::Store(hn::MulAdd(hn::Sub(hn::Load(d, lower + i), u), f, u), d, row + i);
  }
}

void AddScaled(const float* row, float scale, size_t count, float* out) {
  const hn::ScalableTag<float> d;
  const auto s = hn::Set(d, scale);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::Store(hn::MulAdd(hn::Load(d, row + i), s, hn::Load(d, out + i)), d, out + i);
  }
}

// Adds what the repeated last column and row gathered to their sources, and takes out the filling.
void StoreGradient(const CrossEntropyJob& job, const PictureBuffers& buffers) {
  const size_t row = (static_cast<size_t>(job.low_width) + 1) * buffers.stride;
  std::fill_n(job.gradient, static_cast<size_t>(job.low_height) * job.low_width * job.classes, 0.0f);
  for (int y = 0; y <= job.low_height; ++y) {
    const int to_y = std::min(y, job.low_height - 1);
    for (int x = 0; x <= job.low_width; ++x) {
      const int to_x = std::min(x, job.low_width - 1);
      const float* from = buffers.gradient.get() + y * row + x * buffers.stride;
      float* to = job.gradient + (static_cast<size_t>(to_y) * job.low_width + to_x) * job.classes;
      for (int c = 0; c < job.classes; ++c) to[c] += from[c];
    }
  }
}

// NOLINTNEXTLINE(misc-definitions-in-headers): compiled once per instruction set
CrossEntropySums Picture(const CrossEntropyJob& job, const UpsampleTable& columns, const UpsampleTable& rows) {
  const PictureBuffers buffers = MakeBuffers(job);
  const size_t row = (static_cast<size_t>(job.low_width) + 1) * buffers.stride;
  CrossEntropySums sums;
  for (int y = 0; y < 4 * job.low_height; ++y) {
    const uint8_t* labels = job.labels + static_cast<size_t>(y) * 4 * job.low_width;
    float* upper = buffers.gradient.get() + rows.index[y] * row;
    BlendRows(buffers.scores.get() + rows.index[y] * row, buffers.scores.get() + (rows.index[y] + 1) * row,
              rows.fraction[y], row, buffers.row.get());
    std::fill_n(buffers.row_gradient.get(), row, 0.0f);
    for (int x = 0; x < 4 * job.low_width; ++x) {
      if (labels[x] == kIgnoreLabel) continue;
      const float weight = job.class_weights == nullptr ? 1.0f : job.class_weights[labels[x]];
      const size_t left = static_cast<size_t>(columns.index[x]) * buffers.stride;
      sums.loss += weight * Pixel(buffers, left, columns.fraction[x], labels[x], weight);
      sums.weight += weight;
    }
    AddScaled(buffers.row_gradient.get(), 1.0f - rows.fraction[y], row, upper);
    AddScaled(buffers.row_gradient.get(), rows.fraction[y], row, upper + row);
  }
  StoreGradient(job, buffers);
  return sums;
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(Picture);

CrossEntropySums CrossEntropyOfPicture(const CrossEntropyJob& job, const UpsampleTable& columns,
                                       const UpsampleTable& rows) {
  return HWY_DYNAMIC_DISPATCH(Picture)(job, columns, rows);
}

}  // namespace candor
#endif  // HWY_ONCE
