// SPDX-License-Identifier: Apache-2.0
//
// What `candor segment` says about a picture, and the files it writes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/segmentation_client.h"

namespace candor {

// A picture as answered by the server.
struct SegmentedPicture {
  std::string name;  // as on the command line
  SegmentResult result;
  KindDescription kind;                   // of the uncertainty that is shown
  std::vector<ClassDescription> classes;  // by class index
  int predictions = 0;                    // that an answer of the model is made of, if all have run
  std::vector<std::string> files;         // written for it

  // The entry of `result.uncertainty` for `kind`; null if the server left it out.
  const UncertaintyResult* uncertainty() const;
};

// The suffixes of all files that a picture may get.
std::vector<std::string> OutputSuffixes(bool npy);

// Writes labels, uncertainty, overlay and, last, the summary below `directory`; fills `picture->files`. `file_bytes` is
// the picture's own file. Errors of DecodeForOverlay and WriteFileAtomically.
absl::Status WriteOutputs(const std::string& directory, bool npy, const std::string& file_bytes,
                          SegmentedPicture* picture);

// The keys are documented in `candor segment --help`.
nlohmann::ordered_json SummaryJson(const SegmentedPicture& picture);

// The verdict's name; null without one.
nlohmann::ordered_json VerdictJson(Verdict verdict);

// "road", or "class 7" if the model has no such class.
std::string ClassName(const std::vector<ClassDescription>& classes, int class_index);

// The colours alone, by class index.
std::vector<Colour> ClassColours(const std::vector<ClassDescription>& classes);

}  // namespace candor
