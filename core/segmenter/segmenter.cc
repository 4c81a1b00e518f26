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

absl::Status CheckRegion(const Image& image, const Region& region) {
  const bool is_inside = region.x >= 0 && region.y >= 0 && region.width >= 1 && region.height >= 1 &&
                         region.width <= image.width - region.x && region.height <= image.height - region.y;
  if (is_inside) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("region: must be inside the picture of ", image.width, "x",
                                                 image.height, " and not empty, got ", region.width, "x", region.height,
                                                 " at ", region.x, ",", region.y));
}

}  // namespace

absl::Status CheckPictures(absl::Span<const SegmentItem> items) {
  if (items.empty()) return absl::InvalidArgumentError("batch: must have at least one picture");
  const Image& first = *items[0].image;
  for (const SegmentItem& item : items) {
    const Image& image = *item.image;
    if (image.width < 1 || image.height < 1) return absl::InvalidArgumentError("image: has no pixels");
    if (PaddedSize(image.width) != PaddedSize(first.width) || PaddedSize(image.height) != PaddedSize(first.height)) {
      return absl::InvalidArgumentError(absl::StrCat("batch: pictures must have one padded size, got ", image.width,
                                                     "x", image.height, " beside ", first.width, "x", first.height));
    }
    if (item.request.region.has_value()) RETURN_IF_ERROR(CheckRegion(image, *item.request.region));
  }
  return absl::OkStatus();
}

absl::StatusOr<Segmentation> Segmenter::Segment(const Image& image, const PredictRequest& request,
                                                const CancelCheck& cancelled) {
  const SegmentItem item = {&image, request};
  ASSIGN_OR_RETURN(std::vector<Segmentation> results, SegmentBatch(absl::MakeConstSpan(&item, 1), {cancelled}));
  return std::move(results[0]);
}

}  // namespace candor
