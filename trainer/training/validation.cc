// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/validation.h"

#include <torch/torch.h>

#include <vector>

#include "core/base/status_macros.h"
#include "core/nn/preprocess.h"
#include "trainer/evaluation/confusion.h"

namespace candor {
namespace {

double MeanUncertainty(const std::vector<ClassTally>& classes) {
  double sum = 0;
  int predicted = 0;
  for (const ClassTally& tally : classes) {
    if (tally.pixels == 0) continue;
    sum += tally.uncertainty_sum / static_cast<double>(tally.pixels);
    ++predicted;
  }
  return predicted == 0 ? 0 : sum / predicted;
}

}  // namespace

absl::StatusOr<ValidationFigures> Validate(Predictor* predictor, const Dataset& dataset, torch::Device device,
                                           const Normalisation& normalisation, const CancelCheck& cancelled) {
  const torch::InferenceMode inference;
  const KindRequest request = {predictor->kinds().front()};
  ConfusionMatrix confusion(static_cast<int>(dataset.classes().size()));
  std::vector<ClassTally> classes(dataset.classes().size());
  for (int i = 0; i < dataset.size(); ++i) {
    if (cancelled && cancelled()) return absl::CancelledError("validation was told to stop");
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
    const torch::Tensor images = Preprocess(picture.image, normalisation).to(device);
    ASSIGN_OR_RETURN(const std::vector<Segmentation> answers,
                     predictor->Predict(images, {picture.image.height, picture.image.width}, {{request}}, nullptr));
    const Segmentation& answer = answers[0];
    confusion.Add(picture.labels.values, answer.labels);
    for (size_t c = 0; c < classes.size(); ++c) {
      classes[c].pixels += answer.classes[c].pixels;
      classes[c].uncertainty_sum += answer.classes[c].uncertainty_sum;
    }
  }
  return ValidationFigures{confusion.MeanIou(), confusion.Accuracy(), MeanUncertainty(classes)};
}

}  // namespace candor
