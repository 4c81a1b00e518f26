// SPDX-License-Identifier: Apache-2.0
#include "trainer/fitting/fit_head.h"

#include <torch/torch.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/model/class_list.h"
#include "core/nn/fitted_head.h"
#include "core/nn/fold_norm.h"
#include "core/nn/preprocess.h"
#include "core/nn/torch_guard.h"
#include "core/nn/weights.h"
#include "trainer/fitting/class_moments.h"
#include "trainer/fitting/logistic_scale.h"
#include "trainer/write_model.h"

namespace candor {
namespace {

constexpr char kHeadPrefix[] = "uncertainty_head.";
constexpr int64_t kScalePixels = 4096;  // of a picture

absl::Status CheckSource(const Bundle& bundle, const FitOptions& options) {
  const ModelSpec& spec = bundle.spec;
  const auto fault = [&](absl::string_view rule) {
    return absl::InvalidArgumentError(
        absl::StrCat(bundle.directory, ": ", rule, " to be given head ", UncertaintyHeadName(options.head)));
  };
  if (spec.kind != ModelKind::kSingle) {
    return fault(absl::StrCat("must be of kind single, is ", ModelKindName(spec.kind), ","));
  }
  if (spec.sampling.method != SamplingMethod::kNone) {
    return fault(absl::StrCat("must predict without sampling, has ", SamplingMethodName(spec.sampling.method), ","));
  }
  if (spec.head != UncertaintyHead::kLinear) {
    return fault(absl::StrCat("must have no head, has ", UncertaintyHeadName(spec.head), ","));
  }
  if (options.components > 4 * spec.width) {
    return absl::InvalidArgumentError(absl::StrCat("components: must be at most the decoder's ", 4 * spec.width,
                                                   " channels, is ", options.components));
  }
  if (HoldsBundle(options.out)) return absl::AlreadyExistsError(absl::StrCat(options.out, ": holds a bundle already"));
  return absl::OkStatus();
}

absl::Status CheckClasses(const ModelSpec& spec, const Dataset& data) {
  const std::string theirs = ClassNames(data.classes());
  const std::string ours = ClassNames(spec.classes);
  if (theirs == ours) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the data's classes (", theirs, ") must be the model's (", ours, ")"));
}

ModelSpec SpecWithHead(const ModelSpec& source, const FitOptions& options) {
  ModelSpec spec = source;
  const bool is_energy = options.head == UncertaintyHead::kEnergy;
  spec.head = options.head;
  spec.learned = {is_energy ? UncertaintyKind::kEnergy : UncertaintyKind::kFeatureDensity};
  spec.density_components = options.components;
  spec.weights.clear();
  if (spec.calibration.has_value()) {
    spec.calibration->verdict.reset();
    spec.calibration->reference.reset();
    if (spec.calibration->temperature == 1) spec.calibration.reset();
  }
  absl::StrAppend(&spec.training, spec.training.empty() ? "" : "; ", UncertaintyHeadName(options.head), " fitted on ",
                  options.note);
  return spec;
}

TensorFile HeadTensors(const SegmentationNet& net) {
  TensorFile head;
  for (NamedTensor& tensor : SaveWeights(net).tensors) {
    if (absl::StartsWith(tensor.name, kHeadPrefix)) head.tensors.push_back(std::move(tensor));
  }
  return head;
}

TensorFile Joined(TensorFile file, TensorFile head) {
  for (NamedTensor& tensor : head.tensors) file.tensors.push_back(std::move(tensor));
  return file;
}

// Labels [h w] of the scores' pixels: scores lie at rows i (4 h - 1) / (h - 1) of the padded picture (align_corners).
torch::Tensor LabelsOfScores(const ByteMap& labels, int64_t h, int64_t w) {
  torch::Tensor result = torch::full({h * w}, int64_t{kIgnoreLabel}, torch::kInt64);
  auto* out = result.data_ptr<int64_t>();
  const auto place = [](int64_t i, int64_t n) {
    return std::llround(static_cast<double>(i * (4 * n - 1)) / static_cast<double>(n - 1));
  };
  for (int64_t i = 0; i < h; ++i) {
    const int64_t y = place(i, h);
    for (int64_t j = 0; j < w; ++j, ++out) {
      const int64_t x = place(j, w);
      if (y < labels.height && x < labels.width) *out = labels.values[y * labels.width + x];
    }
  }
  return result;
}

class Fit {
 public:
  Fit(SegmentationNet net, const ModelSpec& spec, torch::Device device, const EvaluationControl& control)
      : net_(std::move(net)),
        head_(std::dynamic_pointer_cast<FittedHead>(net_->uncertainty_head())),
        spec_(spec),
        device_(device),
        control_(control) {
    net_->eval();
    net_->to(device);
    PrepareForInference(*net_);
  }

  absl::Status FitDensity(const Dataset& data) {
    ClassMoments moments(spec_.class_count(), int64_t{4} * spec_.width, device_);
    for (int i = 0; i < data.size(); ++i) {
      RETURN_IF_ERROR(EvaluationStep(control_, "densities", i, data.size()));
      ASSIGN_OR_RETURN(const LabelledPicture picture, data.Read(i));
      const torch::Tensor features = net_->Features(Preprocess(picture.image, spec_.normalisation).to(device_));
      moments.Add(features[0].permute({1, 2, 0}).reshape({-1, features.size(1)}),
                  LabelsOfScores(picture.labels, features.size(2), features.size(3)).to(device_));
    }
    ASSIGN_OR_RETURN(const ClassGaussians gaussians, moments.Gaussians(spec_.density_components));
    std::dynamic_pointer_cast<FeatureDensityHead>(head_)->SetGaussians(gaussians);
    text_ = DensityText(moments.counts());
    return absl::OkStatus();
  }

  absl::Status FitScale(const Dataset& data) {
    std::vector<float> scores;
    for (int i = 0; i < data.size(); ++i) {
      RETURN_IF_ERROR(EvaluationStep(control_, "scale", i, data.size()));
      ASSIGN_OR_RETURN(const LabelledPicture picture, data.Read(i));
      const Scores answer = net_->Forward(Preprocess(picture.image, spec_.normalisation).to(device_));
      const torch::Tensor& map = answer.uncertainty;
      torch::Tensor labelled = LabelsOfScores(picture.labels, map.size(2), map.size(3)).ne(int64_t{kIgnoreLabel});
      labelled = labelled.nonzero().flatten();
      const int64_t every = (labelled.numel() + kScalePixels - 1) / kScalePixels;
      if (every > 1) labelled = labelled.slice(0, 0, labelled.numel(), every);
      const torch::Tensor chosen = map.flatten().cpu().index_select(0, labelled);
      scores.insert(scores.end(), chosen.data_ptr<float>(), chosen.data_ptr<float>() + chosen.numel());
    }
    const size_t count = scores.size();
    ASSIGN_OR_RETURN(const LogisticScale scale, FitLogisticScale(std::move(scores)));
    head_->SetScale(scale.median, scale.spread);
    absl::StrAppendFormat(&text_, "%s: 0.5 at %.6g, the median of %d validation pixels; 0.9 at %.6g\n",
                          UncertaintyKindName(spec_.learned[0]), scale.median, count,
                          scale.median + std::log(9.0) * scale.spread);
    return absl::OkStatus();
  }

  const std::string& text() const { return text_; }

 private:
  std::string DensityText(const std::vector<int64_t>& counts) const {
    const int components = spec_.density_components > 0 ? spec_.density_components : 4 * spec_.width;
    std::string text = absl::StrFormat("%d Gaussians of %d dimensions\n", counts.size(), components);
    for (size_t c = 0; c < counts.size(); ++c) {
      if (counts[c] >= components) continue;
      absl::StrAppend(&text, "class ", spec_.classes[c].name, " has ", counts[c],
                      " pixels: ", counts[c] == 0 ? "it has no Gaussian" : "its covariance is mostly the pooled one",
                      "\n");
    }
    return text;
  }

  SegmentationNet net_;
  const std::shared_ptr<FittedHead> head_;
  const ModelSpec& spec_;
  const torch::Device device_;
  const EvaluationControl& control_;
  std::string text_;
};

absl::StatusOr<std::string> FitUnguarded(const FitOptions& options, const Dataset* density_data,
                                         const Dataset& scale_data, const EvaluationControl& control) {
  ASSIGN_OR_RETURN(Bundle bundle, ReadBundle(options.bundle));
  RETURN_IF_ERROR(CheckSource(bundle, options));
  RETURN_IF_ERROR(CheckClasses(bundle.spec, scale_data));
  if (density_data != nullptr) RETURN_IF_ERROR(CheckClasses(bundle.spec, *density_data));
  ModelSpec spec = SpecWithHead(bundle.spec, options);
  const torch::InferenceMode inference;
  SegmentationNet net = MakeNetwork(spec);
  RETURN_IF_ERROR(LoadWeights(Joined(bundle.members[0], HeadTensors(net)), net));
  Fit fit(net, spec, options.device == Device::kCuda ? torch::kCUDA : torch::kCPU, control);
  if (density_data != nullptr) RETURN_IF_ERROR(fit.FitDensity(*density_data));
  RETURN_IF_ERROR(fit.FitScale(scale_data));
  // The head's numbers stay float32, whatever the network is stored as: log densities need more than half precision.
  TensorFile file = Joined(std::move(bundle.members[0]), HeadTensors(net));
  RETURN_IF_ERROR(WriteStoredModel(std::move(spec), {std::move(file)}, options.out));
  return fit.text();
}

}  // namespace

absl::StatusOr<std::string> FitHead(const FitOptions& options, const Dataset* density_data, const Dataset& scale_data,
                                    const EvaluationControl& control) {
  return GuardTorch([&] { return FitUnguarded(options, density_data, scale_data, control); });
}

}  // namespace candor
