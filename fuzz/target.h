// SPDX-License-Identifier: Apache-2.0
//
// What fuzz targets have in common. Each is a file of this folder with the function below: it reads `data` as a hostile
// caller's, server's or file's bytes and demands what the code under test promises. libFuzzer drives it in a program of
// its own; tests/fuzz replays corpus/<target>/ through it in every build.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

// Always 0. A crash, a sanitizer's report and a broken promise end the process.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace candor {

inline absl::string_view AsText(const uint8_t* data, size_t size) {
  return {size == 0 ? "" : reinterpret_cast<const char*>(data), size};
}

inline void Demand(bool holds, absl::string_view promise, absl::string_view details = "") {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s. %s\n", std::string(promise).c_str(), std::string(details).c_str());
  std::abort();
}

// Errors are one line without control characters, whatever was read.
inline void DemandOneLine(const absl::Status& status) {
  const absl::string_view text = status.message();
  const bool has_control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); });
  Demand(!text.empty() && !has_control, "an error is one line of printable text", status.ToString());
}

// As above, of bytes that are wrong.
inline void DemandRefusal(const absl::Status& status) {
  Demand(absl::IsInvalidArgument(status), "wrong bytes are INVALID_ARGUMENT", status.ToString());
  DemandOneLine(status);
}

}  // namespace candor
