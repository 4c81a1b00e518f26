// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/teacher_samples.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/uncertainty/make_predictor.h"

namespace candor {
namespace {

class MemberSamples : public TeacherSamples {
 public:
  explicit MemberSamples(std::unique_ptr<MemberSource> members) : members_(std::move(members)) {}

  absl::StatusOr<torch::Tensor> Of(const TensorBatch& batch) override {
    torch::Tensor samples;  // not made in inference mode: a loss may keep it for its gradient
    for (int m = 0; m < members_->members(); ++m) {
      const torch::Tensor logits = Logits(m, batch.images);
      if (m == 0) {
        samples = torch::empty({members_->members(), logits.size(0), logits.size(1), logits.size(2), logits.size(3)},
                               logits.options().dtype(torch::kHalf));
      }
      samples[m].copy_(logits);
      if (!samples[m].isfinite().all().item<bool>()) {
        return absl::InternalError(
            absl::StrCat("NON_FINITE_OUTPUT: the teacher's member ", m, " gave a score that is not finite in 16 bits"));
      }
    }
    return samples.to(torch::kFloat32);
  }

 private:
  torch::Tensor Logits(int member, const torch::Tensor& images) {
    const torch::InferenceMode inference;
    return members_->Run(member, images).logits;
  }

  const std::unique_ptr<MemberSource> members_;
};

absl::Status CheckGivesSamples(const Bundle& bundle, int least) {
  const SamplingMethod method = bundle.spec.sampling.method;
  if (method == SamplingMethod::kDirichlet || method == SamplingMethod::kLogitSamples) {
    return absl::InvalidArgumentError(absl::StrCat(bundle.directory, ": a student of sampling method ",
                                                   SamplingMethodName(method),
                                                   " cannot teach this student_method, which needs members"));
  }
  const int count = PredictionCount(bundle.spec);
  if (count >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(bundle.directory, ": must make at least ", least,
                                                 " predictions to teach this student_method, makes ", count));
}

}  // namespace

std::unique_ptr<TeacherSamples> MakeMemberSamples(std::unique_ptr<MemberSource> members) {
  return std::make_unique<MemberSamples>(std::move(members));
}

absl::StatusOr<std::unique_ptr<TeacherSamples>> LoadTeacherSamples(const Bundle& bundle, int least,
                                                                   torch::Device device) {
  RETURN_IF_ERROR(CheckGivesSamples(bundle, least));
  const torch::InferenceMode inference;
  ASSIGN_OR_RETURN(std::unique_ptr<MemberSource> members,
                   MakeMembers(
                       bundle.spec, bundle.spec.weights.size(),
                       [&bundle](size_t index) { return ReadMember(bundle, index); }, device));
  return MakeMemberSamples(std::move(members));
}

}  // namespace candor
