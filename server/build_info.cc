// SPDX-License-Identifier: Apache-2.0
//
// Which build this is; the two macros come from CMake and reach this file only.
#include "server/build_info.h"

namespace candor {

absl::string_view BuildVersion() { return CANDOR_VERSION; }

absl::string_view BuildGit() { return CANDOR_GIT; }

}  // namespace candor
