// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// Whether a sanitizer has the process's memory in its hands.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace candor
