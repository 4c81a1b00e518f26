// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/embed_picture.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "trainer/report/html.h"

namespace candor {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{8} << 20;

bool IsBelow(const std::string& file) {
  if (absl::StartsWith(file, "/") || absl::StrContains(file, '\\')) return false;
  for (const absl::string_view part : absl::StrSplit(file, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

// The media type that the first bytes tell; empty if it is neither.
std::string MediaType(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\xFF\xD8\xFF")) return "image/jpeg";
  if (absl::StartsWith(bytes, "\x89PNG\r\n\x1A\n")) return "image/png";
  return "";
}

}  // namespace

absl::StatusOr<std::string> EmbedPicture(const ReportedResult& reported, const std::string& file,
                                         const std::string& alt) {
  if (file.empty()) return std::string("<p class=\"missing\">not kept</p>");
  if (!IsBelow(file)) {
    return absl::InvalidArgumentError(
        absl::StrCat(reported.result.model, ": picture file must lie below the results' folder, got ", file));
  }
  const std::string path = absl::StrCat(reported.directory, "/", file);
  const absl::StatusOr<std::string> bytes = ReadFile(path, kMaxFileBytes);
  if (absl::IsNotFound(bytes.status())) {
    return absl::StrCat("<p class=\"missing\">file not found: ", EscapeHtml(file), "</p>");
  }
  if (!bytes.ok()) {
    return absl::Status(bytes.status().code(), absl::StrCat(reported.result.model, ": ", bytes.status().message()));
  }
  const std::string type = MediaType(*bytes);
  if (type.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(reported.result.model, ": picture file must be JPEG or PNG, got ", path));
  }
  return absl::StrCat("<img alt=\"", EscapeHtml(alt), "\" src=\"", DataUri(type, *bytes), "\">");
}

}  // namespace candor
