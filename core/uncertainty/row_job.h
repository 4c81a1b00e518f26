// SPDX-License-Identifier: Apache-2.0
//
// What the inner loop reads and writes for one output row. Pointers are borrowed for the call.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/model/uncertainty_kind.h"

namespace candor {

// The widest vector in floats: rows are padded by this much, so that whole vectors may be read and written.
inline constexpr int kMaxLanes = 16;

// One kind to compute for the row.
struct RowKind {
  UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
  const float* learned_rows = nullptr;  // a student's scores for it, as RowJob::score_rows; null: from the softmax
  bool is_learned_per_class = false;    // learned_rows has a row a class, of which the label's counts
  float range_max = 1;                  // what the sigmoid of learned scores is multiplied by
  float* row = nullptr;                 // out: [width + kMaxLanes]
};

struct RowJob {
  int members = 0;
  int classes = 0;
  int width = 0;                      // pixels to compute
  const float* score_rows = nullptr;  // [members][classes][row_stride]: scores at this row, not yet upsampled across
  size_t row_stride = 0;              // low-resolution width + kMaxLanes + 1, filled up with the last value
  const int32_t* column_index = nullptr;
  const float* column_fraction = nullptr;
  bool is_dirichlet = false;   // scores are ln a of a Dirichlet; of one member
  float variance_scale = 1;    // makes a variance of RowScratch::squares
  bool needs_softmax = true;   // false: of one member's scores, only the label; no probabilities, learned kinds alone
  bool needs_entropy = false;  // of the mean
  bool needs_member_entropy = false;
  bool needs_votes = false;
  const RowKind* kinds = nullptr;
  int kind_count = 0;
  float* label_row = nullptr;         // [width + kMaxLanes], class indices as floats
  float* probability_rows = nullptr;  // [classes][probability_stride]; null: not asked for
  size_t probability_stride = 0;      // width + kMaxLanes
};

// [classes][lanes] each, aligned for vectors.
struct RowScratch {
  float* exponentials = nullptr;
  float* mean = nullptr;
  float* squares = nullptr;  // sum over members of squared deviations from the mean; the variance of a Dirichlet
  float* votes = nullptr;    // members whose label is the class
};

}  // namespace candor
