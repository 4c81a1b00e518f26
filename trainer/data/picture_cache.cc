// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/picture_cache.h"

#include <utility>

#include "core/base/status_macros.h"

namespace candor {

PictureCache::PictureCache(const Dataset& dataset, int64_t max_bytes)
    : dataset_(dataset), max_bytes_(max_bytes), kept_(static_cast<size_t>(dataset.size())) {}

absl::StatusOr<std::shared_ptr<const LabelledPicture>> PictureCache::Get(int index) {
  const auto at = static_cast<size_t>(index);
  {
    absl::MutexLock lock(&mu_);
    if (kept_[at] != nullptr) return kept_[at];
  }
  ASSIGN_OR_RETURN(LabelledPicture read, dataset_.Read(index));
  const auto size = static_cast<int64_t>(read.image.pixels.size() + read.labels.values.size());
  auto picture = std::make_shared<const LabelledPicture>(std::move(read));
  absl::MutexLock lock(&mu_);
  if (kept_[at] == nullptr && bytes_ + size <= max_bytes_) {
    kept_[at] = picture;
    bytes_ += size;
  }
  return picture;
}

int64_t PictureCache::bytes() const {
  absl::MutexLock lock(&mu_);
  return bytes_;
}

}  // namespace candor
