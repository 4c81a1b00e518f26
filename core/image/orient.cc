// SPDX-License-Identifier: Apache-2.0
//
// The eight EXIF orientations as turns and mirrors by OpenCV.
#include "core/image/orient.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/image/opencv_guard.h"

namespace candor {
namespace {

// Flip codes of cv::flip.
constexpr int kUpsideDown = 0;
constexpr int kLeftRight = 1;
constexpr int kBoth = -1;

void Turn(const cv::Mat& from, int orientation, cv::Mat to) {
  switch (orientation) {
    case 2:
      return cv::flip(from, to, kLeftRight);
    case 3:
      return cv::rotate(from, to, cv::ROTATE_180);
    case 4:
      return cv::flip(from, to, kUpsideDown);
    case 5:
      return cv::transpose(from, to);
    case 6:
      return cv::rotate(from, to, cv::ROTATE_90_CLOCKWISE);
    case 7:  // mirrored at the other diagonal
      cv::transpose(from, to);
      return cv::flip(to, to, kBoth);
    case 8:
      return cv::rotate(from, to, cv::ROTATE_90_COUNTERCLOCKWISE);
    default:
      return from.copyTo(to);
  }
}

}  // namespace

absl::StatusOr<Image> TurnUpright(Image stored, int orientation) {
  if (orientation < 2 || orientation > 8) return stored;
  Image upright;
  upright.width = orientation >= 5 ? stored.height : stored.width;
  upright.height = orientation >= 5 ? stored.width : stored.height;
  upright.pixels.resize(stored.pixels.size());
  RETURN_IF_ERROR(GuardOpenCv("EXIF orientation", [&] {
    // OpenCV writes into the vector: it allocates only for another size or type.
    Turn(cv::Mat(stored.height, stored.width, CV_8UC3, stored.pixels.data()), orientation,
         cv::Mat(upright.height, upright.width, CV_8UC3, upright.pixels.data()));
  }));
  return upright;
}

}  // namespace candor
