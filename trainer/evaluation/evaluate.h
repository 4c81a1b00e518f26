// SPDX-License-Identifier: Apache-2.0
//
// A model over a split: every figure of results.json, with the code that serves it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "trainer/data/dataset.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

struct EvaluationProgress {
  std::string what;  // "evaluate", "unknown objects", "pictures"
  int done = 0;
  int total = 0;
};

struct EvaluationControl {
  std::function<bool()> stop_requested;                        // may be null
  std::function<void(const EvaluationProgress&)> on_progress;  // may be null
};

// To be called before each picture: Cancelled if stop was requested, else tells how far it is.
absl::Status EvaluationStep(const EvaluationControl& control, const std::string& what, int done, int total);

// Runs `model` over the split, and `teacher` (may be null) beside it, and fills every measured figure, model facts
// included; data, split, precision and files are the caller's. With a teacher, the fidelity of each kind both give,
// the model's default first. In constant memory. InvalidArgument: the data's classes, or the teacher's, are not the
// model's. Cancelled: stop was requested. Errors of Read and Segment, with the picture's name.
absl::StatusOr<EvaluationResult> Evaluate(Segmenter* model, Segmenter* teacher, const Dataset& dataset,
                                          const EvaluationControl& control);

// Adds KindFigures::unknown: finding objects of no known class by uncertainty. `folder` has images/ and, of the same
// names, labels/ or labels_masks/ (NAME.png or NAME_labels_semantic.png): 0 ordinary, 1 unknown object, else left out.
// Pictures without a mask are passed over. InvalidArgument: no pair, or no pixel of one of the two.
absl::Status EvaluateUnknown(Segmenter* model, const std::string& folder, const EvaluationControl& control,
                             EvaluationResult* result);

// Pictures whose files are written: the `notable` worst, as many of the most uncertain others, and those with `names`.
struct PictureChoice {
  int notable = 0;
  std::vector<std::string> names;
};

// Writes the files of the chosen pictures below `directory`/`folder`, and notes them in result->picture_figures.
// NotFound: the split has no picture of a name.
absl::Status WritePictures(Segmenter* model, const Dataset& dataset, const PictureChoice& choice,
                           const std::string& directory, const std::string& folder, const EvaluationControl& control,
                           EvaluationResult* result);

}  // namespace candor
