// SPDX-License-Identifier: Apache-2.0
//
// JSON by nlohmann, which escapes; text borrows the same escapes.
#include "core/base/log_format.h"

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace candor {
namespace {

using Json = nlohmann::ordered_json;

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json ToJson(const LogField& field) {
  return std::visit([](const auto& value) { return Json(value); }, field.value);
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// A terminal acts on control characters, DEL and the two-byte C1 set (U+0080 to U+009F) included.
bool IsPrintable(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsControl(text[i])) return false;
    if (text[i] == '\xc2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

// Quoted, in ASCII; everything else becomes \uXXXX, DEL included.
std::string Quoted(absl::string_view text) {
  return Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string TextValue(const LogField& field) {
  const auto* text = std::get_if<std::string>(&field.value);
  if (text == nullptr) return Dump(ToJson(field));
  const bool bare = !text->empty() && IsPrintable(*text) && text->find_first_of(" \"=") == std::string::npos;
  return bare ? *text : Quoted(*text);
}

}  // namespace

LogStyle ChooseLogStyle(bool is_terminal, const char* no_color) {
  if (!is_terminal) return LogStyle::kJson;
  return no_color != nullptr && no_color[0] != '\0' ? LogStyle::kPlainText : LogStyle::kColouredText;
}

std::string JsonLogLine(LogLevel level, absl::Time time, absl::string_view message,
                        std::initializer_list<LogField> fields) {
  Json line;
  line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  line["level"] = std::string(LevelName(level));
  line["message"] = std::string(message);
  for (const LogField& field : fields) {
    std::string name(field.name);
    while (line.contains(name)) name += '_';
    line[name] = ToJson(field);
  }
  return Dump(line);
}

std::string TextLogLine(absl::string_view message, std::initializer_list<LogField> fields) {
  std::string line = IsPrintable(message) ? std::string(message) : Quoted(message);
  for (const LogField& field : fields) absl::StrAppend(&line, " ", field.name, "=", TextValue(field));
  return line;
}

}  // namespace candor
