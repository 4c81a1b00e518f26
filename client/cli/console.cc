// SPDX-License-Identifier: Apache-2.0
//
// Error lines and the progress bar.
#include "client/cli/console.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace candor {

std::string OneLine(absl::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return std::string(absl::StripAsciiWhitespace(line));
}

void ReportError(const Console& console, absl::string_view message) {
  console.err << (console.colour ? "\x1b[31mcandor:\x1b[0m " : "candor: ") << OneLine(message) << "\n" << std::flush;
}

Progress::Progress(const Console& console, int steps) : console_(console), steps_(steps) {}

void Progress::Show(int done, absl::string_view name) {
  if (!console_.err_is_terminal || steps_ < 2) return;
  constexpr int kBarWidth = 24;
  const int filled = kBarWidth * done / steps_;
  console_.err << absl::StreamFormat("\r\x1b[K[%s%s] %d/%d %s", std::string(filled, '#'),
                                     std::string(kBarWidth - filled, ' '), done, steps_, OneLine(name).substr(0, 40))
               << std::flush;
  visible_ = true;
}

void Progress::Clear() {
  if (visible_) console_.err << "\r\x1b[K" << std::flush;
  visible_ = false;
}

}  // namespace candor
