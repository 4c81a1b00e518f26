// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/predict_split.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "core/image/encode.h"

namespace candor {
namespace {

absl::Status WritePlain(const Segmentation& answer, const std::string& stem, UncertaintyKind kind) {
  const ByteMap labels = {answer.width, answer.height, answer.labels};
  RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(stem, "_labels.png"), EncodeGreyPng(labels)));
  const FloatMap map = {answer.width, answer.height, answer.kinds[0].map};
  return WriteFileAtomically(absl::StrCat(stem, "_", UncertaintyKindName(kind), ".npy"), EncodeNpy(map));
}

// Confidence is 1 - u / range.
absl::Status WriteBravo(const Segmentation& answer, const std::string& stem, float range_max) {
  const ByteMap labels = {answer.width, answer.height, answer.labels};
  RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(stem, "_pred.png"), EncodeGreyPng(labels)));
  FloatMap confidence = {answer.width, answer.height, answer.kinds[0].map};
  for (float& value : confidence.values) value = range_max - value;
  return WriteFileAtomically(absl::StrCat(stem, "_conf.png"), EncodeUncertaintyPng(confidence, range_max));
}

absl::Status WriteAnomaly(const Segmentation& answer, const std::string& out, const std::string& name) {
  const FloatMap map = {answer.width, answer.height, answer.kinds[0].map};
  return WriteFileAtomically(absl::StrCat(out, "/anomaly_p/", name, ".npy"), EncodeNpy(map));
}

}  // namespace

absl::Status PredictSplit(Segmenter* model, const Dataset& dataset, const PredictionOptions& options,
                          const EvaluationControl& control) {
  const bool is_anomaly = options.layout == PredictionLayout::kSegmentMeIfYouCan;
  RETURN_IF_ERROR(MakeDirectories(is_anomaly ? absl::StrCat(options.out, "/anomaly_p") : options.out));
  const float range_max = UncertaintyKindMax(options.kind, model->info().spec.class_count());
  const std::vector<KindRequest> kinds = {{options.kind, /*want_map=*/true}};
  for (int i = 0; i < dataset.size(); ++i) {
    RETURN_IF_ERROR(EvaluationStep(control, "predict", i, dataset.size()));
    const std::string& name = dataset.name(i);
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
    ASSIGN_OR_RETURN(const Segmentation answer, model->Segment(picture.image, {kinds}, nullptr));
    const std::string stem = absl::StrCat(options.out, "/", name);
    switch (options.layout) {
      case PredictionLayout::kPlain:
        RETURN_IF_ERROR(WritePlain(answer, stem, options.kind));
        break;
      case PredictionLayout::kBravo:
        RETURN_IF_ERROR(WriteBravo(answer, stem, range_max));
        break;
      case PredictionLayout::kSegmentMeIfYouCan:
        RETURN_IF_ERROR(WriteAnomaly(answer, options.out, name));
        break;
    }
  }
  return absl::OkStatus();
}

absl::Status PredictMembers(int members, const std::function<absl::StatusOr<std::unique_ptr<Segmenter>>(int)>& load,
                            const Dataset& dataset, const std::string& out, const EvaluationControl& control) {
  PredictRequest request;
  request.want_probabilities = true;
  for (int m = 0; m < members; ++m) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> model, load(m));
    const std::string folder = absl::StrCat(out, "/members/", m);
    RETURN_IF_ERROR(MakeDirectories(folder));
    const int classes = model->info().spec.class_count();
    for (int i = 0; i < dataset.size(); ++i) {
      RETURN_IF_ERROR(EvaluationStep(control, absl::StrCat("member ", m), i, dataset.size()));
      ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
      ASSIGN_OR_RETURN(const Segmentation answer, model->Segment(picture.image, request, nullptr));
      RETURN_IF_ERROR(
          WriteFileAtomically(absl::StrCat(folder, "/", dataset.name(i), "_softmax.npy"),
                              EncodeNpyArray({classes, answer.height, answer.width}, answer.probabilities.data())));
    }
  }
  return absl::OkStatus();
}

}  // namespace candor
