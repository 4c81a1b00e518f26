// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace candor {

// Reads a text proto file into `message`. NotFound or InvalidArgument, in one line: "FILE:LINE:COLUMN: reason"; an
// unknown or repeated singular key is an error.
absl::Status ReadTextProto(const std::string& path, google::protobuf::Message* message);

// Sets in `message` what `text` says, over what was set before; repeated fields are added to. InvalidArgument:
// "'TEXT': reason".
absl::Status MergeTextProto(const std::string& text, google::protobuf::Message* message);

}  // namespace candor
