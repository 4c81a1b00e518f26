// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace candor {

// Where the members of a run stand, from what their processes have written: "members 3 of 10 done, 44 % in all; member
// 3 41 %, member 4 38 %". Files that are not there or half written count as nothing done.
std::string EnsembleProgress(const std::string& run, int members);

}  // namespace candor
