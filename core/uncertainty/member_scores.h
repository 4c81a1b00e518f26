// SPDX-License-Identifier: Apache-2.0
//
// Low-resolution class scores of all members, kept until the fused pass reads them: the only thing that grows with the
// number of members, and small.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/page_buffer.h"

namespace candor {

// Where one member's logits lie in memory, in elements: value(c, y, x) = data[c * class_stride + y * row_stride +
// x * column_stride].
struct LogitsView {
  const float* data = nullptr;
  int64_t class_stride = 0;
  int64_t row_stride = 0;
  int64_t column_stride = 0;
};

// Scores [members][classes][height][width].
//
// One member is kept as float32. Several are kept in 16 bits each: at every location the largest logit is taken off,
// which no softmax sees (nor does it after bilinear upsampling, which mixes all classes with the same weights), and the
// rest is stored in steps of 1/2048 down to -32 (a probability of 1e-14). The rounding error of a logit is at
// most 2.5e-4, that of any probability at most 1.3e-4. Thread-compatible.
class MemberScores {
 public:
  // Makes room; earlier scores are lost, memory is kept. All arguments >= 1.
  void Reset(int members, int classes, int height, int width);

  // Forgets all members but the first `members` (>= 2), which are stored.
  void KeepFirst(int members) { members_ = members; }

  // Copies a member's logits. False, with the member's scores undefined, if one is not finite.
  bool Store(int member, const LogitsView& logits);

  // out[x] = scores at (row y0) * (1 - fraction) + (row y0 + 1) * fraction, x in [0, width). y0 in [0, height); the row
  // after the last is never read where fraction is 0.
  void InterpolateRow(int member, int class_index, int y0, float fraction, float* out) const;

  int members() const { return members_; }
  int classes() const { return classes_; }
  int height() const { return height_; }
  int width() const { return width_; }

 private:
  size_t Offset(int member, int class_index, int y) const {
    return ((static_cast<size_t>(member) * classes_ + class_index) * height_ + y) * width_;
  }
  bool StoreFloats(const LogitsView& logits);
  bool StoreSteps(int member, const LogitsView& logits);

  float* floats() const { return buffer_.as<float>(); }
  uint16_t* steps() const { return buffer_.as<uint16_t>(); }

  int members_ = 0;
  int classes_ = 0;
  int height_ = 0;
  int width_ = 0;
  PageBuffer buffer_;  // one member: its scores; several: (largest logit - logit) * 2048 in 16 bits
};

}  // namespace candor
