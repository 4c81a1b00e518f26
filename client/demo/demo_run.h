// SPDX-License-Identifier: Apache-2.0
//
// Sends the sample pictures to both models and gathers what they say.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/demo/demo_report.h"
#include "client/segmentation_client.h"

namespace candor {

// A picture on disk; `truth` is the path of NAME_truth.png beside it, empty if there is none.
struct DemoSample {
  std::string name;
  std::string picture;
  std::string truth;
};

// The .jpg, .jpeg and .png files of the directory that are not ground truth, by name. NotFound: no such directory, or
// no picture in it. InvalidArgument: two pictures of one name.
absl::StatusOr<std::vector<DemoSample>> FindSamples(const std::string& directory);

struct DemoOptions {
  std::string samples;  // directory; a CREDIT.txt in it is shown on the page
  int calls = 5;        // timed, a picture and model, after one warm-up call
};

// Called before each picture: its index, how many there are, its name.
using DemoProgress = std::function<void(int, int, absl::string_view)>;

// Segments every sample with the models "student" and "teacher". Errors of FindSamples, of reading and decoding the
// files (prefixed with the path) and of the service. FailedPrecondition: the two models differ in their classes, or the
// teacher lacks the student's default uncertainty. InvalidArgument: ground truth of another size than its picture.
absl::StatusOr<DemoReport> RunDemo(SegmentationClient* client, const DemoOptions& options,
                                   const DemoProgress& progress);

}  // namespace candor
