// SPDX-License-Identifier: Apache-2.0
#include "core/model/strict_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

using nlohmann::json;

// Builds the document from nlohmann's events. A handler that returns false ends the parse; status() then says why. The
// parser keeps its own stack on the heap, so depth costs no call stack.
class StrictHandler final : public nlohmann::json_sax<json> {
 public:
  explicit StrictHandler(int max_depth) : max_depth_(max_depth) {}

  const absl::Status& status() const { return status_; }
  json TakeDocument() { return std::move(document_); }

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(int64_t value) override { return Add(value); }
  bool number_unsigned(uint64_t value) override { return Add(value); }
  bool number_float(double value, const std::string& /*text*/) override { return Add(value); }
  bool string(std::string& value) override { return Add(std::move(value)); }
  bool binary(json::binary_t& /*value*/) override { return Refuse("must be JSON"); }
  bool start_object(size_t /*size*/) override { return Open(json::object()); }
  bool start_array(size_t /*size*/) override { return Open(json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(std::string& name) override {
    Frame& frame = frames_.back();
    frame.key = name;
    return !frame.container->contains(name) || Refuse("repeated key");
  }

  bool parse_error(size_t position, const std::string& /*token*/, const json::exception& error) override {
    const absl::string_view what = error.what();
    const absl::string_view reason = absl::StrContains(what, "UTF-8")             ? "not valid UTF-8"
                                     : absl::StrContains(what, "number overflow") ? "number too large"
                                                                                  : "not valid JSON";
    status_ = absl::InvalidArgumentError(absl::StrCat(reason, " at byte ", position));
    return false;
  }

 private:
  struct Frame {
    json* container;  // stays put: its own parent grows only after it is closed
    std::string key;  // of the member being read, in an object
  };

  json* Place(json&& value) {
    if (frames_.empty()) return &(document_ = std::move(value));
    Frame& top = frames_.back();
    if (top.container->is_array()) {
      top.container->push_back(std::move(value));
      return &top.container->back();
    }
    return &top.container->get_ref<json::object_t&>().emplace(top.key, std::move(value)).first->second;
  }

  bool Add(json&& value) {
    Place(std::move(value));
    return true;
  }

  bool Open(json&& container) {
    json* placed = Place(std::move(container));
    if (frames_.size() >= static_cast<size_t>(max_depth_)) {
      return Refuse(absl::StrCat("nested deeper than ", max_depth_, " levels"));
    }
    frames_.push_back({placed, ""});
    return true;
  }

  bool Close() {
    frames_.pop_back();
    return true;
  }

  bool Refuse(absl::string_view rule) {
    std::string path;
    for (const Frame& frame : frames_) {
      path = frame.container->is_array() ? ItemPath(path, frame.container->size() - 1) : KeyPath(path, frame.key);
    }
    status_ = JsonError(path, rule);
    return false;
  }

  const int max_depth_;
  json document_;
  std::vector<Frame> frames_;
  absl::Status status_;
};

absl::Status WrongType(const json& value, const std::string& path, absl::string_view wanted) {
  const absl::string_view type = value.type_name();
  const bool vowel = absl::StartsWith(type, "a") || absl::StartsWith(type, "o");
  return JsonError(path,
                   absl::StrCat("must be ", wanted, ", is ", value.is_null() ? "" : (vowel ? "an " : "a "), type));
}

}  // namespace

absl::StatusOr<json> ParseStrictJson(absl::string_view text, int max_depth) {
  // nlohmann takes a zero byte for the end of the input and would skip a byte order mark.
  if (const size_t zero = text.find('\0'); zero != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("not valid JSON at byte ", zero + 1));
  }
  if (absl::StartsWith(text, "\xEF\xBB\xBF")) return absl::InvalidArgumentError("not valid JSON at byte 1");
  StrictHandler handler(max_depth);
  if (!json::sax_parse(text.begin(), text.end(), &handler)) return handler.status();
  return handler.TakeDocument();
}

bool IsUtf8(absl::string_view text) {
  try {
    (void)json(std::string(text)).dump();  // throws on ill-formed UTF-8, and on nothing else
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

std::string ForMessage(absl::string_view text) {
  constexpr size_t kMaxBytes = 100;
  if (text.size() > kMaxBytes) return absl::StrCat(absl::CHexEscape(text.substr(0, kMaxBytes)), "...");
  return IsUtf8(text) ? absl::Utf8SafeCHexEscape(text) : absl::CHexEscape(text);
}

absl::Status JsonError(const std::string& path, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat(path.empty() ? "top level" : path, ": ", rule));
}

absl::Status CheckKeys(const json& value, const std::string& path, const std::vector<std::string>& keys) {
  if (!value.is_object()) return WrongType(value, path, "an object");
  for (const auto& item : value.items()) {
    if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) {
      return JsonError(KeyPath(path, item.key()),
                       absl::StrCat("unknown key, must be one of ", absl::StrJoin(keys, ", ")));
    }
  }
  for (const std::string& key : keys) {
    if (!value.contains(key)) return JsonError(KeyPath(path, key), "missing");
  }
  return absl::OkStatus();
}

absl::Status CheckArray(const json& value, const std::string& path, size_t min_size, size_t max_size) {
  if (!value.is_array()) return WrongType(value, path, "an array");
  if (value.size() >= min_size && value.size() <= max_size) return absl::OkStatus();
  const std::string wanted = min_size == max_size ? absl::StrCat(min_size) : absl::StrCat(min_size, " to ", max_size);
  return JsonError(path, absl::StrCat("must have ", wanted, " items, has ", value.size()));
}

absl::StatusOr<std::string> ReadString(const json& value, const std::string& path) {
  if (!value.is_string()) return WrongType(value, path, "a string");
  return value.get<std::string>();
}

absl::StatusOr<int64_t> ReadInteger(const json& value, const std::string& path, int64_t min, int64_t max) {
  const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > std::numeric_limits<int64_t>::max();
  if (value.is_number_integer() && !too_large) {
    const int64_t number = value.get<int64_t>();
    if (number >= min && number <= max) return number;
  }
  const std::string rule = absl::StrCat("an integer in [", min, ", ", max, "]");
  if (!value.is_number()) return WrongType(value, path, rule);
  return JsonError(path, absl::StrCat("must be ", rule, ", is ", value.dump()));
}

absl::StatusOr<float> ReadFloat(const json& value, const std::string& path) {
  if (!value.is_number()) return WrongType(value, path, "a number");
  const double number = value.get<double>();
  if (std::abs(number) > std::numeric_limits<float>::max()) {
    return JsonError(path, absl::StrCat("must fit a 32-bit float, is ", value.dump()));
  }
  return static_cast<float>(number);
}

absl::StatusOr<bool> ReadBool(const json& value, const std::string& path) {
  if (!value.is_boolean()) return WrongType(value, path, "true or false");
  return value.get<bool>();
}

double ShortDouble(float value) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof(text), value);
  double result = value;
  std::from_chars(text, written.ptr, result);
  return result;
}

std::string KeyPath(const std::string& path, absl::string_view key) {
  return absl::StrCat(path, path.empty() ? "" : ".", ForMessage(key));
}

std::string ItemPath(const std::string& path, size_t index) { return absl::StrCat(path, "[", index, "]"); }

}  // namespace candor
