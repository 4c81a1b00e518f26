// SPDX-License-Identifier: Apache-2.0
//
// One pixel of the fused pass, for a GPU thread; compiled by g++ too, so that a test without a GPU can hold it against
// the CPU's. Formulas and their sources: core/uncertainty/formulas-inl.h.
#pragma once

#include <math.h>

#include "core/engine/cuda/host_device.h"
#include "core/engine/cuda/plugin.h"

namespace candor {

struct PixelReduction {
  int label = 0;
  float kinds[kAllUncertaintyKinds.size()] = {};  // by kind
};

// Where one output position reads its sources, align_corners; as UpsampleTable.
struct Tap {
  int near;
  int far;
  float fraction;
};

CANDOR_HOST_DEVICE inline Tap MakeTap(int position, int low) {
  const float source = static_cast<float>(low - 1) / static_cast<float>(4 * low - 1) * static_cast<float>(position);
  int near = static_cast<int>(source);
  if (near > low - 1) near = low - 1;
  return {near, near + 1 < low ? near + 1 : near, source - static_cast<float>(near)};
}

// Bilinear sample of one low-resolution plane.
CANDOR_HOST_DEVICE inline float Sample(const float* plane, int low_width, const Tap& row, const Tap& column) {
  const float* top = plane + static_cast<long>(row.near) * low_width;
  const float* bottom = plane + static_cast<long>(row.far) * low_width;
  const float left = top[column.near] + (bottom[column.near] - top[column.near]) * row.fraction;
  const float right = top[column.far] + (bottom[column.far] - top[column.far]) * row.fraction;
  return left + (right - left) * column.fraction;
}

// Softmax of one member as exp(logit - shift) * scale, its entropy, and its own label.
struct MemberSoftmax {
  float shift;
  float scale;
  float entropy;
  int label;
};

CANDOR_HOST_DEVICE inline MemberSoftmax Normalise(const CudaReduceJob& job, const float* scores, const Tap& row,
                                                  const Tap& column) {
  const long plane = static_cast<long>(job.low_height) * job.low_width;
  float shift = -3.0e38f;
  int label = 0;
  for (int c = 0; c < job.classes; ++c) {
    const float score = Sample(scores + c * plane, job.low_width, row, column);
    if (score > shift) label = c;
    shift = fmaxf(shift, score);
  }
  float sum = 0;
  float weighted = 0;
  for (int c = 0; c < job.classes; ++c) {
    const float below = Sample(scores + c * plane, job.low_width, row, column) - shift;
    const float exponential = expf(below);
    sum += exponential;
    weighted += exponential * below;
  }
  return {shift, 1.0f / sum, logf(sum) - weighted / sum, label};
}

// What the kinds of one pixel are made of.
struct PixelMoments {
  float largest = -1;  // mean probabilities
  float second = -1;
  float squares_at_label = 0;  // sum over members of squared deviations from the mean
  float entropy = 0;           // of the mean
  float expected_entropy = 0;
  float agreeing = 0;  // ordered pairs of members with one label
};

CANDOR_HOST_DEVICE inline void SetKinds(const CudaReduceJob& job, const PixelMoments& moments, PixelReduction* pixel) {
  const auto set = [pixel](UncertaintyKind kind, float value) { pixel->kinds[static_cast<int>(kind)] = value; };
  if (job.members > 1) {
    const float others = static_cast<float>(job.members - 1);
    const float pairs = static_cast<float>(job.members) * others;
    set(UncertaintyKind::kPredictiveStddev, sqrtf(fmaxf(moments.squares_at_label, 0.0f) / others));
    set(UncertaintyKind::kDisagreement, (pairs - moments.agreeing) / pairs);
  }
  set(UncertaintyKind::kPredictiveEntropy, moments.entropy);
  set(UncertaintyKind::kExpectedEntropy, moments.expected_entropy);
  set(UncertaintyKind::kMutualInformation, fmaxf(moments.entropy - moments.expected_entropy, 0.0f));
  set(UncertaintyKind::kMaxProbability, fmaxf(1.0f - moments.largest, 0.0f));
  set(UncertaintyKind::kMargin, 1.0f - (moments.largest - moments.second));
}

// `y` and `x` count from the picture's corner, not the region's.
CANDOR_HOST_DEVICE inline PixelReduction ReducePixel(const CudaReduceJob& job, int y, int x) {
  const Tap row = MakeTap(y, job.low_height);
  const Tap column = MakeTap(x, job.low_width);
  const long plane = static_cast<long>(job.low_height) * job.low_width;
  const long member_size = plane * job.classes;

  PixelReduction pixel;
  PixelMoments moments;
  MemberSoftmax softmax[kMaxCudaMembers];
  for (int m = 0; m < job.members; ++m) {
    softmax[m] = Normalise(job, job.scores + m * member_size, row, column);
    moments.expected_entropy += softmax[m].entropy;
  }
  moments.expected_entropy /= static_cast<float>(job.members);

  for (int c = 0; c < job.classes; ++c) {
    float mean = 0;
    float squares = 0;
    int votes = 0;
    for (int m = 0; m < job.members; ++m) {
      const float score = Sample(job.scores + m * member_size + c * plane, job.low_width, row, column);
      const float p = expf(score - softmax[m].shift) * softmax[m].scale;
      const float delta = p - mean;
      mean += delta / static_cast<float>(m + 1);
      squares += delta * (p - mean);
      votes += softmax[m].label == c ? 1 : 0;
    }
    moments.agreeing += static_cast<float>(votes) * static_cast<float>(votes - 1);
    if (mean > 0) moments.entropy -= mean * logf(mean);
    moments.second = fmaxf(moments.second, fminf(mean, moments.largest));
    if (mean > moments.largest) {
      moments.largest = mean;
      moments.squares_at_label = squares;
      pixel.label = c;
    }
  }
  SetKinds(job, moments, &pixel);
  for (size_t k = 0; k < kAllUncertaintyKinds.size(); ++k) {
    if (job.learned[k] == nullptr) continue;
    pixel.kinds[k] = job.learned_max[k] / (1.0f + expf(-Sample(job.learned[k], job.low_width, row, column)));
  }
  // A score that is not finite makes a NaN of its member's entropy, while the minima and maxima above drop NaNs.
  if (moments.expected_entropy != moments.expected_entropy) {
    for (float& value : pixel.kinds) value = moments.expected_entropy;
  }
  return pixel;
}

}  // namespace candor
