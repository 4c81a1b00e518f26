// SPDX-License-Identifier: Apache-2.0
//
// A teacher whose predictions a test gives, and the small net and batch of its students.
#pragma once

#include <memory>
#include <utility>

#include "tests/trainer/training/small_net.h"
#include "trainer/training/teacher_samples.h"

namespace candor {

// Answers every batch with `samples` [M, N, C, h, w], or with `error`; counts how often it was asked.
class FixedSamples : public TeacherSamples {
 public:
  explicit FixedSamples(torch::Tensor samples, int* asked = nullptr, absl::Status error = absl::OkStatus())
      : samples_(std::move(samples)), asked_(asked), error_(std::move(error)) {}

  absl::StatusOr<torch::Tensor> Of(const TensorBatch& /*batch*/) override {
    if (asked_ != nullptr) ++*asked_;
    if (!error_.ok()) return error_;
    return samples_;
  }

 private:
  const torch::Tensor samples_;
  int* const asked_;
  const absl::Status error_;
};

// Two pictures of 32x32 with labels 0 and 1, of which the first four rows are void and, in the second picture, the last
// eight columns padding.
inline TensorBatch SmallBatch() {
  constexpr int64_t kSide = 32;
  TensorBatch batch;
  torch::manual_seed(3);
  batch.images = torch::rand({2, 3, kSide, kSide}).contiguous(torch::MemoryFormat::ChannelsLast);
  batch.labels = torch::randint(2, {2, kSide, kSide}, torch::kInt64).to(torch::kUInt8);
  batch.padding = torch::zeros({2, kSide, kSide}, torch::kUInt8);
  batch.labels.slice(1, 0, 4).fill_(255);
  batch.labels[1].slice(1, kSide - 8).fill_(255);
  batch.padding[1].slice(1, kSide - 8).fill_(1);
  return batch;
}

// Scores of three members for SmallBatch: [3, 2, 2, 8, 8].
inline torch::Tensor ThreeMembers(double spread = 2) {
  torch::manual_seed(5);
  return spread * torch::randn({3, 2, 2, 8, 8});
}

}  // namespace candor
