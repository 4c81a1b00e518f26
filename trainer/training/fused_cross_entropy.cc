// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/fused_cross_entropy.h"

#include <ATen/Parallel.h>

#include <limits>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/training/cross_entropy_rows.h"

namespace candor {
namespace {

// Labels of whole batches come from checked files, but an index out of range would read foreign memory.
void CheckLabels(const torch::Tensor& labels, int64_t classes) {
  const uint8_t* values = labels.data_ptr<uint8_t>();
  for (int64_t i = 0; i < labels.numel(); ++i) {
    TORCH_CHECK(values[i] < classes || values[i] == kIgnoreLabel, "label ", static_cast<int>(values[i]),
                ": must be below ", classes, " or 255");
  }
}

class CrossEntropyFunction : public torch::autograd::Function<CrossEntropyFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& logits,
                               const torch::Tensor& labels, const std::vector<float>& class_weights) {
    const int64_t height = logits.size(2);
    const int64_t width = logits.size(3);
    const torch::Tensor scores = logits.permute({0, 2, 3, 1}).contiguous();
    const torch::Tensor targets = labels.contiguous();
    CheckLabels(targets, logits.size(1));
    torch::Tensor gradient = torch::empty_like(scores);
    const UpsampleTable columns(static_cast<int>(width), 0, static_cast<int>(4 * width));
    const UpsampleTable rows(static_cast<int>(height), 0, static_cast<int>(4 * height));
    std::vector<CrossEntropySums> sums(logits.size(0));
    at::parallel_for(0, logits.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        CrossEntropyJob job;
        job.classes = static_cast<int>(logits.size(1));
        job.low_height = static_cast<int>(height);
        job.low_width = static_cast<int>(width);
        job.logits = scores.data_ptr<float>() + n * scores.stride(0);
        job.labels = targets.data_ptr<uint8_t>() + n * targets.stride(0);
        job.class_weights = class_weights.empty() ? nullptr : class_weights.data();
        job.gradient = gradient.data_ptr<float>() + n * gradient.stride(0);
        sums[n] = CrossEntropyOfPicture(job, columns, rows);
      }
    });
    CrossEntropySums total;
    for (const CrossEntropySums& sum : sums) {
      total.loss += sum.loss;
      total.weight += sum.weight;
    }
    const double scale = total.weight > 0 ? 1 / total.weight : 0;
    // A maximum over classes would hide it.
    if (!torch::isfinite(scores).all().item<bool>()) total.loss = std::numeric_limits<double>::quiet_NaN();
    context->save_for_backward({gradient.mul_(scale).permute({0, 3, 1, 2})});
    return torch::scalar_tensor(total.loss * scale, torch::kFloat32);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {context->get_saved_variables()[0] * gradients[0], torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor FusedCrossEntropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                const torch::Tensor& class_weights) {
  TORCH_CHECK(logits.dim() == 4 && logits.is_cpu() && logits.scalar_type() == torch::kFloat32,
              "logits: want [N, C, h, w] float32 on the CPU, got ", logits.sizes(), " ", logits.scalar_type());
  TORCH_CHECK(labels.is_cpu() && labels.scalar_type() == torch::kUInt8 &&
                  labels.sizes() == torch::IntArrayRef({logits.size(0), 4 * logits.size(2), 4 * logits.size(3)}),
              "labels: want [N, 4h, 4w] uint8 on the CPU, got ", labels.sizes(), " ", labels.scalar_type());
  TORCH_CHECK(!class_weights.defined() || class_weights.numel() == logits.size(1), "class_weights: want one a class");
  std::vector<float> weights;
  if (class_weights.defined()) {
    const torch::Tensor values = class_weights.to(torch::kFloat32).contiguous();
    weights.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  }
  return CrossEntropyFunction::apply(logits, labels, weights);
}

}  // namespace candor
