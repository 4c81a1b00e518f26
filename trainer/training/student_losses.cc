// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/student_losses.h"

#include "trainer/data/dataset.h"
#include "trainer/training/autocast.h"

namespace candor {

Scores ForwardIn(TrainingPrecision precision, SegmentationNet& net, const torch::Tensor& images) {
  const Autocast autocast(images.device().type(), precision == TrainingPrecision::kBf16);
  return net->Forward(images);
}

torch::Tensor CountedPixels(const TensorBatch& batch, UncertaintyPixels pixels) {
  switch (pixels) {
    case UncertaintyPixels::kAll:
      return {};
    case UncertaintyPixels::kPicture:
      return batch.padding.eq(0).to(torch::kUInt8);
    case UncertaintyPixels::kLabelled:
      return batch.labels.ne(kIgnoreLabel).to(torch::kUInt8);
  }
  return {};  // unreachable: the switch is complete
}

}  // namespace candor
