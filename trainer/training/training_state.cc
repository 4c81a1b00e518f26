// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/training_state.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/nn/weights.h"

namespace candor {
namespace {

constexpr char kModelPrefix[] = "model.";
constexpr char kAveragePrefix[] = "average.";
constexpr char kMomentumPrefix[] = "momentum.";

SegmentationNet Prepare(SegmentationNet net, torch::Device device) {
  net->to(device);
  for (torch::Tensor& parameter : net->parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  net->train();
  return net;
}

void AddTensors(const char* prefix, TensorFile file, Checkpoint* checkpoint) {
  for (NamedTensor& tensor : file.tensors) {
    tensor.name = absl::StrCat(prefix, tensor.name);
    checkpoint->tensors.push_back(std::move(tensor));
  }
}

TensorFile TakeTensors(const char* prefix, const Checkpoint& checkpoint) {
  TensorFile file;
  for (const NamedTensor& tensor : checkpoint.tensors) {
    if (!absl::StartsWith(tensor.name, prefix)) continue;
    file.tensors.push_back(tensor);
    file.tensors.back().name.erase(0, std::strlen(prefix));
  }
  return file;
}

absl::Status LoadInto(const char* prefix, const Checkpoint& checkpoint, const SegmentationNet& net) {
  const absl::Status status = LoadWeights(TakeTensors(prefix, checkpoint), net);
  if (status.ok()) return status;
  return absl::DataLossError(absl::StrCat("checkpoint: ", prefix, status.message()));
}

// Parameters and floating buffers, in a fixed order.
std::vector<torch::Tensor> FloatingEntries(const SegmentationNet& net) {
  std::vector<torch::Tensor> entries = net->parameters();
  for (const torch::Tensor& buffer : net->buffers()) {
    if (buffer.is_floating_point()) entries.push_back(buffer);
  }
  return entries;
}

}  // namespace

TrainingState::TrainingState(const ModelSpec& spec, SegmentationNet net, const TrainOptions& options,
                             torch::Device device)
    : net_(Prepare(std::move(net), device)), ema_decay_(options.ema_decay), optimizer_(net_, options.optimizer) {
  if (ema_decay_ == 0) return;
  average_ = Prepare(MakeNetwork(spec), device);
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> from = FloatingEntries(net_);
  std::vector<torch::Tensor> to = FloatingEntries(*average_);
  for (size_t i = 0; i < from.size(); ++i) to[i].copy_(from[i]);
}

void TrainingState::UpdateAverage() {
  if (!average_.has_value()) return;
  const torch::NoGradGuard no_grad;
  // A young average leans on what there is (as in TensorFlow's num_updates): it is not held back by the random start.
  const double decay = std::min(ema_decay_, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
  at::_foreach_lerp_(FloatingEntries(*average_), FloatingEntries(net_), 1 - decay);
}

absl::Status TrainingState::CheckFinite() const {
  const torch::NoGradGuard no_grad;
  const auto check = [&](const std::string& name, const torch::Tensor& values) {
    if (values.isfinite().all().item<bool>()) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat("step ", step, ": ", name,
                                              " has values that are not finite; a lower learning_rate may help; the "
                                              "last good checkpoint stays"));
  };
  for (const auto& item : net_->named_parameters()) RETURN_IF_ERROR(check(item.key(), item.value()));
  for (const auto& item : net_->named_buffers()) RETURN_IF_ERROR(check(item.key(), item.value()));
  for (const auto& [name, buffer] : optimizer_.buffers()) RETURN_IF_ERROR(check(kMomentumPrefix + name, buffer));
  return absl::OkStatus();
}

Checkpoint TrainingState::ToCheckpoint() const {
  Checkpoint checkpoint;
  checkpoint.step = step;
  checkpoint.best_miou = best_miou;
  checkpoint.best_step = best_step;
  checkpoint.validated_step = validated_step;
  AddTensors(kModelPrefix, SaveWeights(net_), &checkpoint);
  if (average_.has_value()) AddTensors(kAveragePrefix, SaveWeights(*average_), &checkpoint);
  for (const auto& [name, buffer] : optimizer_.buffers()) {
    const torch::Tensor values = buffer.cpu().contiguous();
    checkpoint.tensors.push_back({absl::StrCat(kMomentumPrefix, name), DType::kF32, values.sizes().vec(),
                                  std::string(static_cast<const char*>(values.data_ptr()), values.nbytes())});
  }
  return checkpoint;
}

absl::Status TrainingState::Restore(const Checkpoint& checkpoint) {
  RETURN_IF_ERROR(LoadInto(kModelPrefix, checkpoint, net_));
  if (average_.has_value()) RETURN_IF_ERROR(LoadInto(kAveragePrefix, checkpoint, *average_));
  const TensorFile momentum = TakeTensors(kMomentumPrefix, checkpoint);
  for (const auto& [name, buffer] : optimizer_.buffers()) {
    const NamedTensor* found = nullptr;
    for (const NamedTensor& tensor : momentum.tensors) {
      if (tensor.name == name) found = &tensor;
    }
    if (found == nullptr || found->dtype != DType::kF32 || found->shape != buffer.sizes().vec()) {
      return absl::DataLossError(absl::StrCat("checkpoint: ", kMomentumPrefix, name, ": missing or of another shape"));
    }
    torch::Tensor target = buffer;
    target.copy_(torch::from_blob(const_cast<char*>(found->data.data()), target.sizes(), torch::kFloat32));
  }
  optimizer_.MarkRestored();
  step = checkpoint.step;
  best_miou = checkpoint.best_miou;
  best_step = checkpoint.best_step;
  validated_step = checkpoint.validated_step;
  return absl::OkStatus();
}

}  // namespace candor
