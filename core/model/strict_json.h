// SPDX-License-Identifier: Apache-2.0
//
// JSON from files nobody vouches for: what nlohmann's parser lets pass (repeated keys, any depth, a zero byte as the
// end) is refused, and values are read with their type checked. Every message begins with the value's path, such as
// `classes[3].colour`, and is one printable line however odd the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace candor {

// InvalidArgument: not UTF-8, not JSON, a number too large for a double, a repeated key, or objects and arrays nested
// deeper than `max_depth`.
absl::StatusOr<nlohmann::json> ParseStrictJson(absl::string_view text, int max_depth);

bool IsUtf8(absl::string_view text);

// Text of a file for use in a message: control characters escaped, and cut after 100 bytes.
std::string ForMessage(absl::string_view text);

// "path: rule". The empty path is the document itself.
absl::Status JsonError(const std::string& path, absl::string_view rule);

// `value` is an object with exactly these keys.
absl::Status CheckKeys(const nlohmann::json& value, const std::string& path, const std::vector<std::string>& keys);

// `value` is an array of `min_size` to `max_size` items.
absl::Status CheckArray(const nlohmann::json& value, const std::string& path, size_t min_size, size_t max_size);

absl::StatusOr<std::string> ReadString(const nlohmann::json& value, const std::string& path);
absl::StatusOr<int64_t> ReadInteger(const nlohmann::json& value, const std::string& path, int64_t min, int64_t max);
absl::StatusOr<float> ReadFloat(const nlohmann::json& value, const std::string& path);
absl::StatusOr<bool> ReadBool(const nlohmann::json& value, const std::string& path);

// The double whose shortest decimal form is the float's: 0.485f is written as 0.485, not 0.48500001430511475, and reads
// back as the same float.
double ShortDouble(float value);

std::string KeyPath(const std::string& path, absl::string_view key);
std::string ItemPath(const std::string& path, size_t index);

}  // namespace candor
