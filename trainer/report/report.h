// SPDX-License-Identifier: Apache-2.0
//
// What evaluations and training runs found, as one HTML page that needs nothing from outside: it can be mailed, printed
// and kept.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

// One line of a run's events.jsonl. NaN: the line does not say.
struct TrainingPoint {
  int64_t step = 0;
  double epoch = std::numeric_limits<double>::quiet_NaN();
  double loss = std::numeric_limits<double>::quiet_NaN();
  double segmentation_loss = std::numeric_limits<double>::quiet_NaN();
  double uncertainty_loss = std::numeric_limits<double>::quiet_NaN();
  double learning_rate = std::numeric_limits<double>::quiet_NaN();  // of the encoder
  double validation_miou = std::numeric_limits<double>::quiet_NaN();
  double images_per_second = std::numeric_limits<double>::quiet_NaN();
};

struct TrainingCurve {
  std::string name;
  std::vector<TrainingPoint> points;  // by step, ascending
};

struct ReportedResult {
  EvaluationResult result;
  std::string directory;  // of its results.json: its picture files lie below
};

struct ReportInput {
  std::string title;
  std::string date;  // as it shall read
  std::string candor_version;
  std::string command;  // that makes the report; may be empty
  std::vector<ReportedResult> results;
  std::vector<TrainingCurve> training;
  int pictures_each = 4;  // of a model: the worst, and as many of the most uncertain others
  int side_by_side = 2;   // pictures that all models have files of, shown by each
};

// All text of the input is escaped. A picture file that is not there leaves a note in its place. InvalidArgument: a
// result at odds with itself (a list that has not one entry a class), a picture file outside its directory, over 8 MiB,
// or neither JPEG nor PNG; the message begins with the model's name. No more than the page and its pictures in memory.
absl::StatusOr<std::string> RenderReport(const ReportInput& input);

}  // namespace candor
