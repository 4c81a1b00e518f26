// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/model/model_spec.h"
#include "core/model/safetensors.h"
#include "core/nn/segmentation_net.h"
#include "core/uncertainty/known_answer.h"
#include "core/uncertainty/member_source.h"
#include "core/uncertainty/predictor.h"

namespace candor {

// Gives the weights of member `index`. Called once for each, in order; an error ends the making.
using MemberReader = std::function<absl::StatusOr<TensorFile>(size_t index)>;

// Makes a reducer on the predictor's device.
using ReducerFactory = std::function<std::unique_ptr<ScoreReducer>()>;

// Gives another form of a member for inference on its device, from a module in evaluation mode, norms not folded.
using NetworkCompiler = std::function<std::shared_ptr<SplitNetwork>(const SegmentationNetImpl& net)>;

// The M predictions of a bundle, before anything is made of them: what a predictor reduces, and what students that
// learn a distribution are shown. As MakePredictor, which see.
absl::StatusOr<std::unique_ptr<MemberSource>> MakeMembers(const ModelSpec& spec, size_t members,
                                                          const MemberReader& read_member, torch::Device device,
                                                          const NetworkCompiler& compile = nullptr);

// The predictor of a bundle, in evaluation mode, on `device`, by spec.sampling and at spec.calibration's temperature.
// Its `members` are read one after the other, each whole: with spec.is_encoder_shared all have one encoder. `compile`:
// null for the readable module, as MC dropout has to have it. InvalidArgument: weights that do not fit the
// architecture, with the member's index; else the reader's errors. May throw c10::Error.
absl::StatusOr<std::unique_ptr<Predictor>> MakePredictor(const ModelSpec& spec, size_t members,
                                                         const MemberReader& read_member, torch::Device device,
                                                         const ReducerFactory& make_reducer,
                                                         const NetworkCompiler& compile = nullptr);

// The same on the CPU, with members that are in memory.
absl::StatusOr<std::unique_ptr<Predictor>> MakeCpuPredictor(const ModelSpec& spec,
                                                            absl::Span<const TensorFile> members);

// What the predictor says about KnownAnswerPicture(). May throw c10::Error.
absl::StatusOr<KnownAnswer> ComputeKnownAnswer(const ModelSpec& spec, torch::Device device, Predictor* predictor);

}  // namespace candor
