// SPDX-License-Identifier: Apache-2.0
#include "core/base/npy.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/image/encode.h"

namespace candor {

std::string EncodeNpy(const FloatMap& map) { return EncodeNpyArray({map.height, map.width}, map.values.data()); }

absl::StatusOr<FloatMap> DecodeNpy(absl::string_view bytes) {
  ASSIGN_OR_RETURN(NpyArray array, DecodeNpyArray(bytes));
  constexpr int64_t kMaxSide = std::numeric_limits<int>::max();
  if (array.shape.size() != 2 || array.shape[0] > kMaxSide || array.shape[1] > kMaxSide) {
    return absl::InvalidArgumentError(
        absl::StrCat("npy: shape must be (height, width), got (", absl::StrJoin(array.shape, ", "), ")"));
  }
  return FloatMap{static_cast<int>(array.shape[1]), static_cast<int>(array.shape[0]), std::move(array.values)};
}

}  // namespace candor
