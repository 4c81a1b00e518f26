// SPDX-License-Identifier: Apache-2.0
//
// What each of a teacher's M predictions says about a crop, for students that learn more than its uncertainty map.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "absl/status/statusor.h"
#include "core/model/bundle.h"
#include "core/uncertainty/member_source.h"
#include "trainer/training/objective.h"

namespace candor {

// Thread-compatible. May throw c10::Error.
class TeacherSamples {
 public:
  virtual ~TeacherSamples() = default;

  // Class scores of the M predictions, before upsampling: [M, N, C, h, w] float32 on the batch's device, h = H / 4,
  // without a gradient. Every value is one that 16 bits hold, so that scores that were kept on disk (teacher_cache.h)
  // and scores just computed are the same. Internal: a score is not finite.
  virtual absl::StatusOr<torch::Tensor> Of(const TensorBatch& batch) = 0;
};

// Runs the members one after another.
std::unique_ptr<TeacherSamples> MakeMemberSamples(std::unique_ptr<MemberSource> members);

// Of a bundle, on `device`, at its temperature. InvalidArgument: its scores are no class scores of predictions but the
// parameters of a distribution, or it makes fewer than `least` predictions; each names the bundle. Else as MakeMembers.
absl::StatusOr<std::unique_ptr<TeacherSamples>> LoadTeacherSamples(const Bundle& bundle, int least,
                                                                   torch::Device device);

}  // namespace candor
