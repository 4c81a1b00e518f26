// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/picture_files.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/image/draw.h"
#include "core/image/encode.h"

namespace candor {
namespace {

constexpr int kJpegQuality = 85;
constexpr Colour kWrong = {255, 48, 48};
constexpr Colour kVoid = {128, 128, 128};

// How pixels of the small map lie in the large one.
struct Shrink {
  int from_width, from_height;
  int width, height;

  // First pixel of the large map in the box of small column or row `i`; that of i + 1 ends the box.
  int Column(int i) const { return static_cast<int>(static_cast<int64_t>(i) * from_width / width); }
  int Row(int i) const { return static_cast<int>(static_cast<int64_t>(i) * from_height / height); }
  // The pixel in the middle of the box.
  size_t Middle(int x, int y) const {
    const int column = (Column(x) + Column(x + 1) - 1) / 2;
    const int row = (Row(y) + Row(y + 1) - 1) / 2;
    return static_cast<size_t>(row) * from_width + column;
  }
};

Shrink ShrinkOf(int width, int height) {
  Shrink shrink = {width, height, width, height};
  if (width > kMaxPictureFileWidth) {
    shrink.width = kMaxPictureFileWidth;
    shrink.height =
        std::max(1, static_cast<int>(std::lround(static_cast<double>(height) * kMaxPictureFileWidth / width)));
  }
  return shrink;
}

// The mean of each box.
Image ShrinkImage(const Image& image, const Shrink& shrink) {
  Image small = {shrink.width, shrink.height, {}};
  small.pixels.reserve(static_cast<size_t>(small.width) * small.height * 3);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      std::array<int64_t, 3> sum = {};
      int64_t count = 0;
      for (int row = shrink.Row(y); row < shrink.Row(y + 1); ++row) {
        const uint8_t* pixel = &image.pixels[3 * (static_cast<size_t>(row) * image.width + shrink.Column(x))];
        for (int column = shrink.Column(x); column < shrink.Column(x + 1); ++column, pixel += 3, ++count) {
          for (size_t c = 0; c < 3; ++c) sum[c] += pixel[c];
        }
      }
      for (const int64_t channel : sum) small.pixels.push_back(static_cast<uint8_t>((channel + count / 2) / count));
    }
  }
  return small;
}

// The middle pixel of each box: labels have no mean.
template <typename Map>
Map ShrinkMap(const Map& map, const Shrink& shrink) {
  Map small = {shrink.width, shrink.height, {}};
  small.values.reserve(static_cast<size_t>(small.width) * small.height);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) small.values.push_back(map.values[shrink.Middle(x, y)]);
  }
  return small;
}

Image ErrorMap(const Image& picture, const ByteMap& labels, const ByteMap& truth) {
  Image map = picture;
  for (size_t i = 0; i < labels.values.size(); ++i) {
    uint8_t* pixel = &map.pixels[3 * i];
    if (truth.values[i] == kIgnoreLabel || truth.values[i] != labels.values[i]) {
      const Colour& colour = truth.values[i] == kIgnoreLabel ? kVoid : kWrong;
      pixel[0] = colour.red;
      pixel[1] = colour.green;
      pixel[2] = colour.blue;
      continue;
    }
    // Grey at under half the lightness, in 16 steps: enough to find one's way, and small as a PNG.
    const int grey = (77 * pixel[0] + 151 * pixel[1] + 28 * pixel[2]) >> 8;
    pixel[0] = pixel[1] = pixel[2] = static_cast<uint8_t>(12 + (grey >> 4) * 6);
  }
  return map;
}

// A file name that any system takes. A name that had to be changed gets part of its digest, so that names stay apart.
std::string Stem(const std::string& name) {
  std::string stem;
  for (const char byte : name) {
    const bool is_plain =
        absl::ascii_isalnum(static_cast<unsigned char>(byte)) || byte == '-' || byte == '_' || byte == '.';
    stem.push_back(is_plain ? byte : '_');
  }
  if (stem != name || stem.empty() || stem[0] == '.' || stem.size() > 100) {
    stem = absl::StrCat("_", stem.substr(0, 100), "-", Sha256Hex(name).substr(0, 8));
  }
  return stem;
}

absl::Status CheckMaps(const std::string& name, const PictureMaps& maps) {
  const size_t pixels = static_cast<size_t>(std::max(maps.picture.width, 0)) * std::max(maps.picture.height, 0);
  const auto fits = [&](int width, int height, size_t values, size_t channels) {
    return width == maps.picture.width && height == maps.picture.height && values == pixels * channels;
  };
  if (pixels > 0 && fits(maps.picture.width, maps.picture.height, maps.picture.pixels.size(), 3) &&
      fits(maps.labels.width, maps.labels.height, maps.labels.values.size(), 1) &&
      fits(maps.truth.width, maps.truth.height, maps.truth.values.size(), 1) &&
      fits(maps.uncertainty.width, maps.uncertainty.height, maps.uncertainty.values.size(), 1)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": picture, labels, truth and uncertainty must have one size of at least one pixel, got ",
      maps.picture.width, "x", maps.picture.height, ", ", maps.labels.width, "x", maps.labels.height, ", ",
      maps.truth.width, "x", maps.truth.height, ", ", maps.uncertainty.width, "x", maps.uncertainty.height));
}

// Accuracy and mIoU without void, mean uncertainty with it.
PictureFigures FiguresOf(const std::string& name, const PictureMaps& maps) {
  std::array<int64_t, 256> both = {};
  std::array<int64_t, 256> either = {};
  int64_t right = 0;
  int64_t known = 0;
  double uncertainty = 0;
  for (size_t i = 0; i < maps.labels.values.size(); ++i) {
    uncertainty += maps.uncertainty.values[i];
    const uint8_t truth = maps.truth.values[i];
    const uint8_t label = maps.labels.values[i];
    if (truth == kIgnoreLabel) continue;
    ++known;
    ++either[truth];
    if (truth == label) {
      ++right;
      ++both[truth];
    } else {
      ++either[label];
    }
  }
  double iou = 0;
  int classes = 0;
  for (size_t c = 0; c < either.size(); ++c) {
    if (either[c] == 0) continue;
    iou += static_cast<double>(both[c]) / static_cast<double>(either[c]);
    ++classes;
  }
  PictureFigures figures;
  figures.name = name;
  figures.accuracy = known > 0 ? static_cast<double>(right) / static_cast<double>(known) : std::nan("");
  figures.miou = classes > 0 ? iou / classes : std::nan("");
  figures.mean_uncertainty = uncertainty / static_cast<double>(maps.labels.values.size());
  return figures;
}

}  // namespace

absl::StatusOr<PictureFigures> WritePictureFiles(const std::string& directory, const std::string& folder,
                                                 const std::string& name, const PictureMaps& maps, float range_max,
                                                 const std::vector<ClassSpec>& classes) {
  RETURN_IF_ERROR(CheckMaps(name, maps));
  RETURN_IF_ERROR(MakeDirectories(absl::StrCat(directory, "/", folder)));
  const Shrink shrink = ShrinkOf(maps.picture.width, maps.picture.height);
  const Image picture = ShrinkImage(maps.picture, shrink);
  const ByteMap labels = ShrinkMap(maps.labels, shrink);
  const ByteMap truth = ShrinkMap(maps.truth, shrink);
  std::vector<Colour> colours;
  for (const ClassSpec& entry : classes) colours.push_back(entry.colour);

  PictureFigures figures = FiguresOf(name, maps);
  const std::string stem = absl::StrCat(folder, "/", Stem(name));
  const auto write = [&](absl::string_view suffix, const std::string& bytes, std::string* file) {
    *file = absl::StrCat(stem, suffix);
    return WriteFileAtomically(absl::StrCat(directory, "/", *file), bytes);
  };
  RETURN_IF_ERROR(write("_picture.jpg", EncodeJpeg(picture, kJpegQuality), &figures.picture_file));
  RETURN_IF_ERROR(write("_labels.png", EncodeRgbPng(ColourLabels(labels, colours)), &figures.labels_file));
  RETURN_IF_ERROR(write("_truth.png", EncodeRgbPng(ColourLabels(truth, colours)), &figures.truth_file));
  RETURN_IF_ERROR(write("_uncertainty.png", EncodeRgbPng(HeatMap(ShrinkMap(maps.uncertainty, shrink), range_max)),
                        &figures.uncertainty_file));
  RETURN_IF_ERROR(write("_errors.png", EncodeRgbPng(ErrorMap(picture, labels, truth)), &figures.error_file));
  return figures;
}

}  // namespace candor
