// SPDX-License-Identifier: Apache-2.0
//
// Structured logs on stderr: readable text on a terminal, one JSON object a line elsewhere. Functions, not macros:
// Torch owns the names LOG and CHECK. Never log pixels or tokens.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning" or "error"; InvalidArgument otherwise.
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view name);

// Lines below this level are dropped. Thread-safe; the level starts at kInfo.
void SetLogLevel(LogLevel level);

// One named value of a log line.
struct LogField {
  template <typename T>
  LogField(absl::string_view field_name, T field_value) : name(field_name), value(Convert(field_value)) {}

  absl::string_view name;
  std::variant<bool, int64_t, double, std::string> value;

 private:
  using Value = std::variant<bool, int64_t, double, std::string>;
  template <typename T>
  static Value Convert(const T& v) {
    if constexpr (std::is_same_v<T, bool>) {
      return Value(v);
    } else if constexpr (std::is_integral_v<T>) {
      return Value(static_cast<int64_t>(v));
    } else if constexpr (std::is_floating_point_v<T>) {
      return Value(static_cast<double>(v));
    } else {
      return Value(std::string(v));
    }
  }
};

// LogInfo("model loaded", {{"model", name}, {"seconds", 0.4}}). Thread-safe; a line is written whole.
void LogDebug(absl::string_view message, std::initializer_list<LogField> fields = {});
void LogInfo(absl::string_view message, std::initializer_list<LogField> fields = {});
void LogWarning(absl::string_view message, std::initializer_list<LogField> fields = {});
void LogError(absl::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace candor
