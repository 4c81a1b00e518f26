// SPDX-License-Identifier: Apache-2.0
//
// The inputs of one fuzz target, without libFuzzer. A broken promise ends the program; the last name printed is the
// input's.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "fuzz/target.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

TEST(FuzzCorpusTest, EveryInputKeepsThePromises) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(CANDOR_CORPUS)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  ASSERT_FALSE(paths.empty()) << CANDOR_CORPUS;
  for (const std::string& path : paths) {
    std::cout << path << std::endl;
    const auto bytes = ReadFile(path, 1 << 20);
    ASSERT_THAT(bytes, IsOk());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()), 0);
  }
  EXPECT_EQ(LLVMFuzzerTestOneInput(nullptr, 0), 0);
}

}  // namespace
}  // namespace candor
