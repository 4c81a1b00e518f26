// SPDX-License-Identifier: Apache-2.0
#include "core/model/group_json.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/class_json.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

constexpr size_t kMaxGroups = 64;
constexpr size_t kMaxNameBytes = 64;

absl::Status CheckGroup(const ClassGroup& group, int class_count, const std::string& path) {
  const std::string name_path = KeyPath(path, "name");
  if (group.name.empty() || group.name.size() > kMaxNameBytes) {
    return JsonError(name_path,
                     absl::StrCat("must have 1 to ", kMaxNameBytes, " bytes, is \"", ForMessage(group.name), "\""));
  }
  if (!IsUtf8(group.name)) return JsonError(name_path, absl::StrCat("must be UTF-8, is ", ForMessage(group.name)));
  const std::string classes_path = KeyPath(path, "classes");
  if (group.classes.empty()) return JsonError(classes_path, "must have at least 1 item, has 0");
  std::set<int> seen;
  for (size_t i = 0; i < group.classes.size(); ++i) {
    const int index = group.classes[i];
    if (index < 0 || index >= class_count) {
      return JsonError(ItemPath(classes_path, i), absl::StrCat("must be in [0, ", class_count - 1, "], is ", index));
    }
    if (!seen.insert(index).second) {
      return JsonError(ItemPath(classes_path, i), absl::StrCat("must be unique, ", index, " comes twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ClassGroup>> GroupsFromJson(const nlohmann::json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckArray(value, path, 0, kMaxGroups));
  std::vector<ClassGroup> groups;
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string item = ItemPath(path, i);
    RETURN_IF_ERROR(CheckKeys(value[i], item, {"name", "classes"}));
    ClassGroup group;
    ASSIGN_OR_RETURN(group.name, ReadString(value[i].at("name"), KeyPath(item, "name")));
    const nlohmann::json& classes = value[i].at("classes");
    const std::string classes_path = KeyPath(item, "classes");
    RETURN_IF_ERROR(CheckArray(classes, classes_path, 1, kMaxClasses));
    for (size_t j = 0; j < classes.size(); ++j) {
      ASSIGN_OR_RETURN(const int64_t index, ReadInteger(classes[j], ItemPath(classes_path, j), 0, kMaxClasses - 1));
      group.classes.push_back(static_cast<int>(index));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

nlohmann::ordered_json GroupsToJson(const std::vector<ClassGroup>& groups) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ClassGroup& group : groups) list.push_back({{"name", group.name}, {"classes", group.classes}});
  return list;
}

absl::Status CheckGroups(const std::vector<ClassGroup>& groups, int class_count, const std::string& path) {
  if (groups.size() > kMaxGroups) {
    return JsonError(path, absl::StrCat("must have at most ", kMaxGroups, " items, has ", groups.size()));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string item = ItemPath(path, i);
    RETURN_IF_ERROR(CheckGroup(groups[i], class_count, item));
    if (!names.insert(groups[i].name).second) {
      return JsonError(KeyPath(item, "name"),
                       absl::StrCat("must be unique, \"", ForMessage(groups[i].name), "\" comes twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace candor
