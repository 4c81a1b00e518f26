// SPDX-License-Identifier: Apache-2.0
#include "core/model/class_json.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

absl::StatusOr<Colour> ColourFromJson(const nlohmann::json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckArray(value, path, 3, 3));
  uint8_t channels[3];
  for (size_t i = 0; i < 3; ++i) {
    ASSIGN_OR_RETURN(const int64_t channel, ReadInteger(value[i], ItemPath(path, i), 0, 255));
    channels[i] = static_cast<uint8_t>(channel);
  }
  return Colour{channels[0], channels[1], channels[2]};
}

}  // namespace

absl::StatusOr<std::vector<ClassSpec>> ClassesFromJson(const nlohmann::json& value, const std::string& path) {
  RETURN_IF_ERROR(CheckArray(value, path, kMinClasses, kMaxClasses));
  std::vector<ClassSpec> classes;
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string item = ItemPath(path, i);
    RETURN_IF_ERROR(CheckKeys(value[i], item, {"name", "colour"}));
    ASSIGN_OR_RETURN(std::string name, ReadString(value[i].at("name"), KeyPath(item, "name")));
    ASSIGN_OR_RETURN(const Colour colour, ColourFromJson(value[i].at("colour"), KeyPath(item, "colour")));
    classes.push_back({std::move(name), colour});
  }
  RETURN_IF_ERROR(CheckClasses(classes, path));
  return classes;
}

nlohmann::ordered_json ClassesToJson(const std::vector<ClassSpec>& classes) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ClassSpec& spec : classes) {
    list.push_back({{"name", spec.name}, {"colour", {spec.colour.red, spec.colour.green, spec.colour.blue}}});
  }
  return list;
}

absl::Status CheckClasses(const std::vector<ClassSpec>& classes, const std::string& path) {
  if (classes.size() < kMinClasses || classes.size() > kMaxClasses) {
    return JsonError(path,
                     absl::StrCat("must have ", kMinClasses, " to ", kMaxClasses, " items, has ", classes.size()));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < classes.size(); ++i) {
    const std::string& name = classes[i].name;
    const std::string name_path = KeyPath(ItemPath(path, i), "name");
    if (name.empty()) return JsonError(name_path, "must not be empty");
    if (!IsUtf8(name)) return JsonError(name_path, absl::StrCat("must be UTF-8, is ", ForMessage(name)));
    if (!names.insert(name).second) {
      return JsonError(name_path, absl::StrCat("must be unique, \"", ForMessage(name), "\" comes twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace candor
