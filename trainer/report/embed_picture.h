// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "trainer/report/report.h"

namespace candor {

// A picture file of a result as an img element that holds it, or a note where it was not written or is gone.
// InvalidArgument, beginning with the model's name: it lies outside the results' folder, or is neither JPEG nor PNG.
// Errors of reading otherwise.
absl::StatusOr<std::string> EmbedPicture(const ReportedResult& reported, const std::string& file,
                                         const std::string& alt);

}  // namespace candor
