// SPDX-License-Identifier: Apache-2.0
//
// What options.member_method decides about a member's training.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "absl/status/status.h"
#include "core/model/model_spec.h"
#include "trainer/training/objective.h"

namespace candor {

// How a member predicts.
Sampling MemberSampling(const TrainOptions& options);

// Where its freshly initialised network starts: pretrained_members, initial_stddev. Errors of LoadEncoder.
absl::Status InitialiseMember(const TrainOptions& options, SegmentationNet& net);

// What it minimises. Of kBatchEnsemble cross-entropy alone: the network shows picture i of a batch to its member i mod
// M (Wen et al. 2020, section 3.1): a step has the convolutions of a plain one, and each member sees 1 / M of the
// pictures.
std::unique_ptr<Objective> MakeMemberObjective(const TrainOptions& options, SegmentationNet net,
                                               torch::Tensor class_weights);

}  // namespace candor
