// SPDX-License-Identifier: Apache-2.0
//
// What every segmenter shares.
#include "core/segmenter/segmenter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/padded_size.h"

namespace candor {
namespace {

absl::Status CheckRegion(const Picture& picture, const Region& region) {
  const bool is_inside = region.x >= 0 && region.y >= 0 && region.width >= 1 && region.height >= 1 &&
                         region.width <= picture.width() - region.x && region.height <= picture.height() - region.y;
  if (is_inside) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("region: must be inside the picture of ", picture.width(), "x",
                                                 picture.height(), " and not empty, got ", region.width, "x",
                                                 region.height, " at ", region.x, ",", region.y));
}

}  // namespace

absl::Status CheckPictures(absl::Span<const SegmentItem> items) {
  if (items.empty()) return absl::InvalidArgumentError("batch: must have at least one picture");
  const Picture& first = *items[0].picture;
  for (const SegmentItem& item : items) {
    const Picture& picture = *item.picture;
    if (picture.width() < 1 || picture.height() < 1) return absl::InvalidArgumentError("image: has no pixels");
    if (!HaveOnePaddedSize(picture, first)) {
      return absl::InvalidArgumentError(absl::StrCat("batch: pictures must have one padded size, got ", picture.width(),
                                                     "x", picture.height(), " beside ", first.width(), "x",
                                                     first.height()));
    }
    if (item.request.region.has_value()) RETURN_IF_ERROR(CheckRegion(picture, *item.request.region));
  }
  return absl::OkStatus();
}

absl::StatusOr<Segmentation> Segmenter::Segment(const Image& image, const PredictRequest& request,
                                                const CancelCheck& cancelled) {
  const Picture picture = Picture::Borrow(image);
  const SegmentItem item = {&picture, request};
  ASSIGN_OR_RETURN(std::vector<Segmentation> results, SegmentBatch(absl::MakeConstSpan(&item, 1), {cancelled}));
  return std::move(results[0]);
}

}  // namespace candor
