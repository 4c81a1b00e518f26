// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/member_scores.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace candor {
namespace {

constexpr float kStepsPerUnit = 2048;
constexpr float kLargestStep = 65535;

template <typename T>
void Interpolate(const T* top, const T* bottom, float fraction, float scale, int width, float* out) {
  const float top_weight = (1 - fraction) * scale;
  const float bottom_weight = fraction * scale;
  for (int x = 0; x < width; ++x) {
    out[x] = static_cast<float>(top[x]) * top_weight + static_cast<float>(bottom[x]) * bottom_weight;
  }
}

}  // namespace

void MemberScores::Reset(int members, int classes, int height, int width) {
  members_ = members;
  classes_ = classes;
  height_ = height;
  width_ = width;
  const size_t bytes = Offset(members, 0, 0) * (members == 1 ? sizeof(float) : sizeof(uint16_t));
  if (bytes > buffer_.bytes()) {
    buffer_ = PageBuffer();  // give back first: both at once would be the peak
    buffer_ = PageBuffer(bytes);
  }
}

bool MemberScores::Store(int member, const LogitsView& logits) {
  return members_ == 1 ? StoreFloats(logits) : StoreSteps(member, logits);
}

bool MemberScores::StoreFloats(const LogitsView& logits) {
  float not_finite = 0;  // stays 0 unless a value is infinite or NaN
  for (int c = 0; c < classes_; ++c) {
    for (int y = 0; y < height_; ++y) {
      const float* in = logits.data + c * logits.class_stride + y * logits.row_stride;
      float* out = floats() + Offset(0, c, y);
      for (int x = 0; x < width_; ++x) {
        out[x] = in[x * logits.column_stride];
        not_finite += out[x] * 0;
      }
    }
  }
  return not_finite == 0;
}

bool MemberScores::StoreSteps(int member, const LogitsView& logits) {
  std::vector<float> largest(width_);
  float not_finite = 0;
  for (int y = 0; y < height_; ++y) {
    const float* row = logits.data + y * logits.row_stride;
    std::fill(largest.begin(), largest.end(), -INFINITY);
    for (int c = 0; c < classes_; ++c) {
      const float* in = row + c * logits.class_stride;
      for (int x = 0; x < width_; ++x) {
        const float value = in[x * logits.column_stride];
        not_finite += value * 0;
        largest[x] = std::max(largest[x], value);
      }
    }
    for (int c = 0; c < classes_; ++c) {
      const float* in = row + c * logits.class_stride;
      uint16_t* out = steps() + Offset(member, c, y);
      for (int x = 0; x < width_; ++x) {
        const float steps = (largest[x] - in[x * logits.column_stride]) * kStepsPerUnit + 0.5f;
        out[x] = static_cast<uint16_t>(steps < kLargestStep ? steps : kLargestStep);
      }
    }
  }
  return not_finite == 0;
}

void MemberScores::InterpolateRow(int member, int class_index, int y0, float fraction, float* out) const {
  const size_t top = Offset(member, class_index, y0);
  const size_t bottom = y0 + 1 < height_ ? top + width_ : top;
  if (members_ == 1) {
    Interpolate(floats() + top, floats() + bottom, fraction, 1.0f, width_, out);
  } else {
    Interpolate(steps() + top, steps() + bottom, fraction, -1.0f / kStepsPerUnit, width_, out);
  }
}

}  // namespace candor
