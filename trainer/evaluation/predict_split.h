// SPDX-License-Identifier: Apache-2.0
//
// A model's answers for a whole split, as files that other tools read.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/segmenter/segmenter.h"
#include "trainer/data/dataset.h"
#include "trainer/evaluation/evaluate.h"

namespace candor {

// kPlain: NAME_labels.png (class indices), NAME_KIND.npy (float32), members/M/NAME_softmax.npy ([C, H, W]) if asked
// for. kBravo: NAME_pred.png (8-bit class indices) and NAME_conf.png (16-bit confidence, 65535 = certain), as the BRAVO
//   challenge's toolkit reads them.
// kSegmentMeIfYouCan: anomaly_p/NAME.npy, float32, high where the model is unsure.
enum class PredictionLayout { kPlain, kBravo, kSegmentMeIfYouCan };

struct PredictionOptions {
  PredictionLayout layout = PredictionLayout::kPlain;
  UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;  // of the maps
  std::string out;                                             // folder; files that are there are replaced
};

// Writes the answers of `model`. Pictures need no labels to be right, but the split has to be readable.
// FailedPrecondition: a kind the model lacks. Cancelled: stop was requested. DataLoss: a file cannot be written.
absl::Status PredictSplit(Segmenter* model, const Dataset& dataset, const PredictionOptions& options,
                          const EvaluationControl& control);

// Writes members/M/NAME_softmax.npy of each of `members` members, one after the other; `load` gives one of them.
absl::Status PredictMembers(int members, const std::function<absl::StatusOr<std::unique_ptr<Segmenter>>(int)>& load,
                            const Dataset& dataset, const std::string& out, const EvaluationControl& control);

}  // namespace candor
