// SPDX-License-Identifier: Apache-2.0
//
// CutMix (Yun et al. 2019) for labelled crops: a rectangle of another crop is pasted in, with its labels.
#pragma once

#include "trainer/data/batch_loader.h"

namespace candor {

// Each crop of the batch, with `probability`, gets a rectangle of another one, at the same place. Its area is a share
// of the crop drawn from [0, 1) (the paper's Beta(1, 1)), its centre anywhere; what reaches beyond the crop is cut off.
// What is pasted comes from the crops as they were. All randomness follows from `key`. A batch of one stays as it is.
void CutMix(float probability, uint64_t key, Batch* batch);

}  // namespace candor
