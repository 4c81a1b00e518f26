// SPDX-License-Identifier: Apache-2.0
//
// A folder of small pictures and masks on disk.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/test_images.h"

namespace candor {

class DataDirectory {
 public:
  DataDirectory() {
    std::string pattern = testing::TempDir() + "candor_data_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;
  ~DataDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }
  std::string Of(const std::string& relative) const { return path_ + "/" + relative; }

  // Makes the folders on the way.
  void Write(const std::string& relative, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(Of(relative)).parent_path());
    std::ofstream(Of(relative), std::ios::binary) << bytes;
  }
  void MakeFolder(const std::string& relative) const { std::filesystem::create_directories(Of(relative)); }
  void Remove(const std::string& relative) const { std::filesystem::remove_all(Of(relative)); }
  void Link(const std::string& relative, const std::string& target) const {
    std::filesystem::create_directories(std::filesystem::path(Of(relative)).parent_path());
    std::filesystem::create_symlink(target, Of(relative));
  }

 private:
  std::string path_;
};

// 4 x 2 RGB pixels; `shade` tells pictures apart.
inline std::string SmallPicture(int shade = 0) {
  PngSpec spec;
  spec.width = 4;
  spec.height = 2;
  spec.rows.assign(24, static_cast<uint8_t>(shade));
  return MakePng(spec);
}

// 4 x 2 values, 8-bit grey.
inline std::string SmallMask(const std::vector<uint8_t>& values) {
  PngSpec spec;
  spec.width = 4;
  spec.height = 2;
  spec.colour_type = 0;
  spec.rows = values;
  return MakePng(spec);
}

// 4 x 2 palette indices.
inline std::string SmallPaletteMask(const std::vector<uint8_t>& values) {
  PngSpec spec;
  spec.width = 4;
  spec.height = 2;
  spec.colour_type = 3;
  spec.rows = values;
  return MakePng(spec);
}

// 4 x 2 RGB pixels of these colours.
inline std::string SmallColourMask(const std::vector<std::vector<uint8_t>>& colours) {
  PngSpec spec;
  spec.width = 4;
  spec.height = 2;
  for (const std::vector<uint8_t>& colour : colours) spec.rows.insert(spec.rows.end(), colour.begin(), colour.end());
  return MakePng(spec);
}

}  // namespace candor
