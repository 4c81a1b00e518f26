// SPDX-License-Identifier: Apache-2.0
//
// What a data set's folder must look like, one file a layout.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "trainer/data/file_list.h"
#include "trainer/data/mask_decoder.h"

namespace candor {

struct SplitFiles {
  std::vector<FilePair> pairs;
  MaskDecoder decode_mask;
};

// Immutable.
class Layout {
 public:
  virtual ~Layout() = default;
  virtual const std::vector<ClassSpec>& classes() const = 0;
  // The splits there are, sorted; none if the folder does not look like this layout.
  virtual std::vector<std::string> Splits() const = 0;
  // One sentence for the message then: what the folder must hold.
  virtual std::string Expectation() const = 0;
  // Of one of Splits().
  virtual absl::StatusOr<SplitFiles> List(const std::string& split) const = 0;
};

absl::StatusOr<std::unique_ptr<Layout>> CamvidLayout(DataFolder folder);
absl::StatusOr<std::unique_ptr<Layout>> CityscapesLayout(DataFolder folder);
absl::StatusOr<std::unique_ptr<Layout>> VocLayout(DataFolder folder);
absl::StatusOr<std::unique_ptr<Layout>> FolderLayout(DataFolder folder);

}  // namespace candor
