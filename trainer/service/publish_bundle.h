// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace candor {

struct PublishedBundle {
  std::string directory;  // REPOSITORY/MODEL/VERSION
  int version = 0;
  std::string digest;  // SHA-256 of model.json
};

// Verifies the bundle and copies it to the next version of REPOSITORY/MODEL: under another name first, so that a
// version is there whole or not at all; two at once get two versions. Errors of ReadBundle. DataLoss: it cannot be
// written; nothing is left.
absl::StatusOr<PublishedBundle> PublishBundle(const std::string& bundle, const std::string& repository,
                                              const std::string& model);

}  // namespace candor
