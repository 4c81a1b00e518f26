// SPDX-License-Identifier: Apache-2.0
//
// A model as the messages of the protocol describe it. Pure functions, thread-safe.
#pragma once

#include "candor/v1/segmentation.pb.h"
#include "core/segmenter/segmenter.h"
#include "server/model_registry.h"

namespace candor {

v1::UncertaintyKind ToProto(UncertaintyKind kind);

void FillIdentity(const ModelInfo& info, v1::ModelIdentity* message);

// GetModel's and ListModels' view of a model.
void FillModel(const LoadedModel& model, v1::Model* message);

}  // namespace candor
