// SPDX-License-Identifier: Apache-2.0
//
// Runs `candor` in this process and keeps what it wrote.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/command_line.h"
#include "core/base/file.h"
#include "core/image/encode.h"

namespace candor {

struct CandorRun {
  ExitCode code;
  std::string out;
  std::string err;
};

inline CandorRun Candor(const std::vector<std::string>& arguments, const std::string& standard_input = "",
                        bool terminal = false) {
  std::vector<const char*> argv = {"candor"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  std::istringstream in(standard_input);
  std::ostringstream out;
  std::ostringstream err;
  const ExitCode code =
      RunCandor(static_cast<int>(argv.size()), argv.data(), {in, out, err, terminal, /*colour=*/false});
  return {code, out.str(), err.str()};
}

// A folder of this test alone, removed afterwards.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = testing::TempDir() + "/candor_cli_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }

  // A PNG of 4x2 pixels of grey 100, or of another size.
  std::string AddPicture(const std::string& name, int width = 4, int height = 2) const {
    const Image image{width, height, std::vector<uint8_t>(3 * width * height, 100)};
    EXPECT_TRUE(WriteFileAtomically(path(name), EncodeRgbPng(image)).ok());
    return path(name);
  }

  std::string Read(const std::string& name) const {
    const auto bytes = ReadFile(path(name), 1 << 24);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return bytes.value_or("");
  }

  std::vector<std::string> List() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    return names;
  }

 private:
  std::string path_;
};

}  // namespace candor
