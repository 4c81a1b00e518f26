// SPDX-License-Identifier: Apache-2.0
#include "tests/testing/tiny_dataset.h"

#include <filesystem>
#include <fstream>
#include <random>

#include "gtest/gtest.h"
#include "tests/testing/test_images.h"

namespace candor {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 48;

void Write(const std::string& path, const std::string& contents) {
  std::ofstream file(path, std::ios::binary);
  file << contents;
  if (!file.flush()) ADD_FAILURE() << path << ": cannot be written";
}

void WritePair(const std::string& folder, const std::string& split, int index, std::mt19937& random) {
  const auto between = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  const int left = between(1, 20);
  const int top = between(1, 14);
  const int right = left + between(20, 40);
  const int bottom = top + between(16, 30);
  PngSpec image;
  PngSpec mask;
  image.width = mask.width = kWidth;
  image.height = mask.height = kHeight;
  mask.colour_type = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const bool is_barn = x >= left && x < right && y >= top && y < bottom;
      const bool is_near = x >= left - 1 && x < right + 1 && y >= top - 1 && y < bottom + 1;
      image.rows.push_back(static_cast<uint8_t>(is_barn ? between(160, 220) : between(20, 60)));
      image.rows.push_back(static_cast<uint8_t>(is_barn ? between(20, 60) : between(120, 180)));
      image.rows.push_back(static_cast<uint8_t>(between(30, 70)));
      mask.rows.push_back(static_cast<uint8_t>(is_barn ? 1 : is_near ? 255 : 0));
    }
  }
  Write(folder + "/images/" + split + "/" + TinyPictureName(index), MakePng(image));
  Write(folder + "/masks/" + split + "/" + TinyPictureName(index), MakePng(mask));
}

}  // namespace

std::string TinyPictureName(int index) { return "farm" + std::to_string(index) + ".png"; }

void WriteTinyDataset(const std::string& folder, int training, int validation, unsigned seed) {
  std::mt19937 random(seed);
  const std::pair<std::string, int> splits[] = {{"train", training}, {"val", validation}, {"single", 1}};
  for (const auto& [split, size] : splits) {
    std::filesystem::create_directories(folder + "/images/" + split);
    std::filesystem::create_directories(folder + "/masks/" + split);
    for (int i = 0; i < size; ++i) WritePair(folder, split, i, random);
  }
  Write(folder + "/classes.json",
        R"({"classes": [{"name": "meadow", "colour": [0, 128, 0]}, {"name": "barn", "colour": [200, 0, 0]}]})");
}

}  // namespace candor
