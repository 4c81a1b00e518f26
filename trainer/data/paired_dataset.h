// SPDX-License-Identifier: Apache-2.0
//
// A split whose files are found and paired.
#pragma once

#include <memory>
#include <vector>

#include "core/model/model_spec.h"
#include "trainer/data/dataset.h"
#include "trainer/data/layout.h"

namespace candor {

std::unique_ptr<Dataset> MakePairedDataset(std::vector<ClassSpec> classes, SplitFiles files);

}  // namespace candor
