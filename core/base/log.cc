// SPDX-License-Identifier: Apache-2.0
//
// The log on spdlog: it filters, locks and writes; log_format.h makes the text.
#include "core/base/log.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/log_format.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace candor {
namespace {

struct Output {
  LogStyle style;
  std::unique_ptr<spdlog::logger> logger;
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

Output MakeOutput() {
  const LogStyle style = ChooseLogStyle(isatty(STDERR_FILENO) == 1, std::getenv("NO_COLOR"));
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      style == LogStyle::kColouredText ? spdlog::color_mode::always : spdlog::color_mode::never);
  Output output{style, std::make_unique<spdlog::logger>("", std::move(sink))};
  output.logger->set_pattern(style == LogStyle::kJson ? "%v" : "%H:%M:%S.%e %^%l%$ %v");
  output.logger->set_level(spdlog::level::info);
  output.logger->flush_on(spdlog::level::trace);
  return output;
}

// The process has one stderr. Never destroyed, so that destructors at exit may still log.
Output& StderrOutput() {
  static Output& output = *new Output(MakeOutput());
  return output;
}

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  Output& output = StderrOutput();
  const spdlog::level::level_enum spdlog_level = ToSpdlog(level);
  if (!output.logger->should_log(spdlog_level)) return;
  const std::string line =
      output.style == LogStyle::kJson ? JsonLogLine(level, absl::Now(), message, fields) : TextLogLine(message, fields);
  output.logger->log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  return absl::InvalidArgumentError(
      absl::StrCat("log level: must be debug, info, warning or error, got \"", name, "\""));
}

void SetLogLevel(LogLevel level) { StderrOutput().logger->set_level(ToSpdlog(level)); }

void LogDebug(absl::string_view message, std::initializer_list<LogField> fields) {
  Log(LogLevel::kDebug, message, fields);
}
void LogInfo(absl::string_view message, std::initializer_list<LogField> fields) {
  Log(LogLevel::kInfo, message, fields);
}
void LogWarning(absl::string_view message, std::initializer_list<LogField> fields) {
  Log(LogLevel::kWarning, message, fields);
}
void LogError(absl::string_view message, std::initializer_list<LogField> fields) {
  Log(LogLevel::kError, message, fields);
}

}  // namespace candor
