// SPDX-License-Identifier: Apache-2.0
#include "core/model/kind_json.h"

#include "core/base/status_macros.h"
#include "core/model/strict_json.h"

namespace candor {

absl::StatusOr<UncertaintyKind> ReadKind(const nlohmann::json& value, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string name, ReadString(value, path));
  const auto kind = ParseUncertaintyKind(ForMessage(name));
  if (!kind.ok()) return JsonError(path, kind.status().message());
  return kind;
}

}  // namespace candor
