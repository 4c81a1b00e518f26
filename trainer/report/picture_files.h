// SPDX-License-Identifier: Apache-2.0
//
// One picture's maps as small files, to look at in the report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/image/image.h"
#include "core/model/model_spec.h"
#include "trainer/data/dataset.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

inline constexpr int kMaxPictureFileWidth = 480;

struct PictureMaps {
  const Image& picture;
  const ByteMap& labels;  // predicted
  const ByteMap& truth;   // class index or kIgnoreLabel
  const FloatMap& uncertainty;
};

// Writes STEM_picture.jpg, STEM_labels.png, STEM_truth.png, STEM_uncertainty.png (bright at `range_max`) and
// STEM_errors.png (wrong pixels red and void grey on a dimmed picture) into `folder` below `directory`, where
// results.json lies; wider pictures are shrunk to kMaxPictureFileWidth. STEM is made from `name`, and differs for
// different names. Returns the picture's figures, its file names relative to `directory`. Overwrites. The report's
// key takes `range_max` for UncertaintyKindMax of the model's default kind. InvalidArgument: sizes differ, a map
// without pixels; DataLoss: a file cannot be written. Threads: with different names.
absl::StatusOr<PictureFigures> WritePictureFiles(const std::string& directory, const std::string& folder,
                                                 const std::string& name, const PictureMaps& maps, float range_max,
                                                 const std::vector<ClassSpec>& classes);

}  // namespace candor
