// SPDX-License-Identifier: Apache-2.0
//
// Golden tensors of tests/golden, made by PyTorch (tools/make_golden.py).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/model/safetensors.h"
#include "gtest/gtest.h"

namespace candor {

// The tensors of tests/golden/NAME.safetensors by name; empty, with a test failure, if the file cannot be read.
inline std::map<std::string, NamedTensor> ReadGolden(const std::string& name) {
  std::map<std::string, NamedTensor> tensors;
  const auto bytes = ReadFile(absl::StrCat(CANDOR_SOURCE_DIR, "/tests/golden/", name, ".safetensors"), 64 << 20);
  if (!bytes.ok()) {
    ADD_FAILURE() << bytes.status();
    return tensors;
  }
  auto file = ParseSafetensors(*bytes);
  if (!file.ok()) {
    ADD_FAILURE() << file.status();
    return tensors;
  }
  for (NamedTensor& tensor : file->tensors) tensors[tensor.name] = std::move(tensor);
  return tensors;
}

}  // namespace candor
