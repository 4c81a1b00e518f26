// SPDX-License-Identifier: Apache-2.0
//
// JSON text as people and programs expect it: short numbers, valid UTF-8, one line.
#pragma once

#include <charconv>
#include <nlohmann/json.hpp>

namespace candor {

// The float with the fewest digits that mean it: 0.1, where plain conversion to double prints 0.10000000149011612.
inline double JsonNumber(float value) {
  char text[32];
  const char* end = std::to_chars(text, text + sizeof(text), value).ptr;
  double number = 0;
  std::from_chars(text, end, number);
  return number;
}

// One line; bytes that are no UTF-8 (file names may hold any) become U+FFFD.
inline std::string JsonLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace candor
