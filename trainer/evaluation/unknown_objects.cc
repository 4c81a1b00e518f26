// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/unknown_objects.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/in_file.h"
#include "core/base/status_macros.h"
#include "core/image/decode.h"
#include "trainer/data/dataset.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxFileBytes = int64_t{1} << 28;

bool IsPicture(const fs::path& path) {
  const std::string suffix = absl::AsciiStrToLower(path.extension().string());
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png";
}

std::string MaskOf(const std::string& folder, const std::string& name) {
  for (const char* place : {"labels_masks", "labels"}) {
    for (const char* suffix : {"_labels_semantic.png", ".png"}) {
      const std::string path = absl::StrCat(folder, "/", place, "/", name, suffix);
      if (fs::exists(path)) return path;
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<std::vector<UnknownPair>> FindUnknownPairs(const std::string& folder) {
  const std::string images = absl::StrCat(folder, "/images");
  std::error_code error;
  std::vector<UnknownPair> pairs;
  for (const auto& entry : fs::directory_iterator(images, error)) {
    if (!IsPicture(entry.path())) continue;
    const std::string name = entry.path().stem().string();
    std::string mask = MaskOf(folder, name);
    if (!mask.empty()) pairs.push_back({name, entry.path().string(), std::move(mask)});
  }
  if (error) return absl::NotFoundError(absl::StrCat(images, ": ", error.message()));
  if (pairs.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": no picture of images/ has a mask in labels_masks/ or labels/"));
  }
  std::sort(pairs.begin(), pairs.end(), [](const UnknownPair& a, const UnknownPair& b) { return a.name < b.name; });
  return pairs;
}

absl::StatusOr<UnknownPicture> ReadUnknownPair(const UnknownPair& pair) {
  UnknownPicture picture;
  ASSIGN_OR_RETURN(const std::string image_bytes, ReadFile(pair.image_file, kMaxFileBytes));
  auto image = DecodeImage(image_bytes, {});
  if (!image.ok()) return InFile(pair.image_file, image.status());
  picture.image = *std::move(image);
  ASSIGN_OR_RETURN(const std::string mask_bytes, ReadFile(pair.mask_file, kMaxFileBytes));
  auto mask = DecodeLabelPng(mask_bytes, {});
  if (!mask.ok()) return InFile(pair.mask_file, mask.status());
  picture.mask = *std::move(mask);
  if (picture.mask.width != picture.image.width || picture.mask.height != picture.image.height) {
    return absl::InvalidArgumentError(absl::StrCat(pair.mask_file, ": must have the picture's ", picture.image.width,
                                                   "x", picture.image.height, " pixels, has ", picture.mask.width, "x",
                                                   picture.mask.height));
  }
  for (uint8_t& value : picture.mask.values) {
    if (value > 1) value = kIgnoreLabel;
  }
  return picture;
}

}  // namespace candor
