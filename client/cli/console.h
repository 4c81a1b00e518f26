// SPDX-License-Identifier: Apache-2.0
//
// Where a command reads and writes: data on `out`, errors and progress on `err`.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"

namespace candor {

struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;  // shows progress
  bool colour = false;           // on `err`
};

// The text without line breaks and other control characters: what a server or a file name may hold must not reach the
// terminal as a command.
std::string OneLine(absl::string_view text);

// Writes "candor: MESSAGE" as one line on `err`.
void ReportError(const Console& console, absl::string_view message);

// A bar on `err`, if that is a terminal and there is more than one step; else nothing.
class Progress {
 public:
  Progress(const Console& console, int steps);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows that step `done` (from 0) is under way, and its name.
  void Show(int done, absl::string_view name);
  // Wipes the bar, before other text is written.
  void Clear();

 private:
  const Console& console_;
  const int steps_;
  bool visible_ = false;
};

}  // namespace candor
