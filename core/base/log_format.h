// SPDX-License-Identifier: Apache-2.0
//
// How a log line looks. Apart from log.h, so that callers of the log see no more than they need.
#pragma once

#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/log.h"

namespace candor {

enum class LogStyle { kColouredText, kPlainText, kJson };

// Text on a terminal, coloured unless NO_COLOR is set and not empty (no-color.org); else JSON.
LogStyle ChooseLogStyle(bool is_terminal, const char* no_color);

// {"time":"2026-01-31T23:59:59.123Z","level":"info","message":"...",fields...}, without a newline. Bytes that are not
// UTF-8 become U+FFFD, numbers that are not finite null. A field named like one of the first three gets "_" after its
// name.
std::string JsonLogLine(LogLevel level, absl::Time time, absl::string_view message,
                        std::initializer_list<LogField> fields);

// message name=value ..., without a newline or any other control character: strings that hold one, or a space, are
// quoted.
std::string TextLogLine(absl::string_view message, std::initializer_list<LogField> fields);

}  // namespace candor
