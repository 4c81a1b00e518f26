// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/evaluate.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/model/class_list.h"
#include "trainer/evaluation/fidelity.h"
#include "trainer/evaluation/split_evaluation.h"
#include "trainer/evaluation/unknown_objects.h"
#include "trainer/report/picture_files.h"

namespace candor {
namespace {

absl::Status CheckClasses(const char* what, const std::vector<ClassSpec>& theirs, const ModelSpec& spec) {
  const std::string other = ClassNames(theirs);
  const std::string own = ClassNames(spec.classes);
  if (other == own) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, ": its classes (", other, ") must be the model's (", own, ")"));
}

absl::Status InPicture(const std::string& name, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
}

// Every kind of a model, as maps.
std::vector<KindRequest> AllMaps(const ModelSpec& spec) {
  std::vector<KindRequest> requests;
  for (const UncertaintyKind kind : spec.uncertainty) requests.push_back({kind, /*want_map=*/true});
  return requests;
}

absl::StatusOr<Segmentation> Ask(Segmenter* model, const std::string& name, const Image& image,
                                 bool want_probabilities) {
  const std::vector<KindRequest> requests = AllMaps(model->info().spec);
  PredictRequest request;
  request.kinds = requests;
  request.want_probabilities = want_probabilities;
  auto answer = model->Segment(image, request, nullptr);
  if (!answer.ok()) return InPicture(name, answer.status());
  return answer;
}

const std::vector<float>* FindMap(const Segmentation& answer, UncertaintyKind kind) {
  for (const KindResult& result : answer.kinds) {
    if (result.statistics.kind == kind) return &result.map;
  }
  return nullptr;
}

// Meters of the kinds that both models give.
class TeacherComparison {
 public:
  TeacherComparison(const ModelSpec& model, const ModelSpec& teacher) {
    for (const UncertaintyKind kind : model.uncertainty) {
      if (std::find(teacher.uncertainty.begin(), teacher.uncertainty.end(), kind) == teacher.uncertainty.end())
        continue;
      kinds_.push_back(kind);
      meters_.emplace_back(kind, model.class_count());
    }
  }

  absl::Status Add(const Segmentation& student, const Segmentation& teacher) {
    for (size_t k = 0; k < kinds_.size(); ++k) {
      RETURN_IF_ERROR(meters_[k].AddPicture({*FindMap(student, kinds_[k]), student.labels},
                                            {*FindMap(teacher, kinds_[k]), teacher.labels}));
    }
    return absl::OkStatus();
  }

  std::vector<FidelityFigures> Figures(const std::string& teacher) const {
    std::vector<FidelityFigures> figures;
    for (const FidelityMeter& meter : meters_) figures.push_back(meter.Figures(teacher));
    return figures;
  }

 private:
  std::vector<UncertaintyKind> kinds_;
  std::vector<FidelityMeter> meters_;
};

ScoredPicture ScoreOf(const std::string& name, const Segmentation& answer, const uint8_t* truth) {
  ScoredPicture scored;
  scored.name = name;
  scored.width = answer.width;
  scored.height = answer.height;
  scored.truth = truth;
  scored.labels = answer.labels.data();
  for (const KindResult& kind : answer.kinds) scored.kind_maps.push_back(kind.map.data());
  scored.probabilities = answer.probabilities.empty() ? nullptr : answer.probabilities.data();
  return scored;
}

void FillModelFacts(const ModelInfo& info, EvaluationResult* result) {
  result->model = info.name;
  result->kind = info.spec.kind;
  result->digest = info.digest;
  result->width = info.spec.width;
  result->members = PredictionCount(info.spec);
  result->classes = info.spec.classes;
}

// The worst `count` by mIoU and the most uncertain `count` of the rest, as positions in `pictures` (worst first).
std::vector<size_t> Notable(const std::vector<PictureFigures>& pictures, int count) {
  const size_t wanted = std::min(pictures.size(), static_cast<size_t>(count));
  std::vector<size_t> rest;
  std::vector<size_t> notable;
  for (size_t i = 0; i < pictures.size(); ++i) (i < wanted ? notable : rest).push_back(i);
  std::stable_sort(rest.begin(), rest.end(),
                   [&](size_t a, size_t b) { return pictures[a].mean_uncertainty > pictures[b].mean_uncertainty; });
  rest.resize(std::min(rest.size(), wanted));
  notable.insert(notable.end(), rest.begin(), rest.end());
  return notable;
}

// As positions in `pictures`, each once.
absl::StatusOr<std::vector<size_t>> Choose(const std::vector<PictureFigures>& pictures, const PictureChoice& choice) {
  std::vector<size_t> chosen = Notable(pictures, choice.notable);
  for (const std::string& name : choice.names) {
    const auto found = std::find_if(pictures.begin(), pictures.end(),
                                    [&name](const PictureFigures& figures) { return figures.name == name; });
    if (found == pictures.end()) return absl::NotFoundError(absl::StrCat("the split has no picture ", name));
    const auto index = static_cast<size_t>(found - pictures.begin());
    if (std::find(chosen.begin(), chosen.end(), index) == chosen.end()) chosen.push_back(index);
  }
  return chosen;
}

}  // namespace

absl::Status EvaluationStep(const EvaluationControl& control, const std::string& what, int done, int total) {
  if (control.stop_requested && control.stop_requested()) return absl::CancelledError("stopped");
  if (control.on_progress) control.on_progress({what, done, total});
  return absl::OkStatus();
}

absl::StatusOr<EvaluationResult> Evaluate(Segmenter* model, Segmenter* teacher, const Dataset& dataset,
                                          const EvaluationControl& control) {
  const ModelSpec& spec = model->info().spec;
  RETURN_IF_ERROR(CheckClasses("data", dataset.classes(), spec));
  std::optional<TeacherComparison> comparison;
  if (teacher != nullptr) {
    RETURN_IF_ERROR(CheckClasses("teacher", teacher->info().spec.classes, spec));
    comparison.emplace(spec, teacher->info().spec);
  }
  const absl::Time start = absl::Now();
  SplitEvaluation evaluation(spec.uncertainty, spec.class_count());
  for (int i = 0; i < dataset.size(); ++i) {
    RETURN_IF_ERROR(EvaluationStep(control, "evaluate", i, dataset.size()));
    const std::string& name = dataset.name(i);
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
    ASSIGN_OR_RETURN(const Segmentation answer, Ask(model, name, picture.image, /*want_probabilities=*/true));
    RETURN_IF_ERROR(evaluation.AddPicture(ScoreOf(name, answer, picture.labels.values.data())));
    if (comparison.has_value()) {
      ASSIGN_OR_RETURN(const Segmentation theirs, Ask(teacher, name, picture.image, /*want_probabilities=*/false));
      RETURN_IF_ERROR(comparison->Add(answer, theirs));
    }
  }
  EvaluationResult result;
  FillModelFacts(model->info(), &result);
  evaluation.Fill(&result);
  if (comparison.has_value()) result.fidelity = comparison->Figures(teacher->info().name);
  result.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  return result;
}

absl::Status EvaluateUnknown(Segmenter* model, const std::string& folder, const EvaluationControl& control,
                             EvaluationResult* result) {
  const ModelSpec& spec = model->info().spec;
  ASSIGN_OR_RETURN(const std::vector<UnknownPair> pairs, FindUnknownPairs(folder));
  SplitEvaluation evaluation(spec.uncertainty, spec.class_count());
  for (size_t i = 0; i < pairs.size(); ++i) {
    RETURN_IF_ERROR(EvaluationStep(control, "unknown objects", static_cast<int>(i), static_cast<int>(pairs.size())));
    ASSIGN_OR_RETURN(const UnknownPicture picture, ReadUnknownPair(pairs[i]));
    ASSIGN_OR_RETURN(const Segmentation answer, Ask(model, pairs[i].name, picture.image, /*want_probabilities=*/false));
    const std::vector<uint8_t> no_truth(answer.labels.size(), kIgnoreLabel);
    ScoredPicture scored = ScoreOf(pairs[i].name, answer, no_truth.data());
    scored.unknown_mask = picture.mask.values.data();
    RETURN_IF_ERROR(evaluation.AddPicture(scored));
  }
  EvaluationResult found;
  found.classes = spec.classes;
  evaluation.Fill(&found);
  for (size_t k = 0; k < found.kinds.size(); ++k) {
    const auto& unknown = found.kinds[k].unknown;
    if (!unknown.has_value() || unknown->positives == 0 || unknown->negatives == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(folder, ": its masks must mark both ordinary pixels (0) and unknown objects (1)"));
    }
    result->kinds[k].unknown = unknown;
  }
  return absl::OkStatus();
}

absl::Status WritePictures(Segmenter* model, const Dataset& dataset, const PictureChoice& choice,
                           const std::string& directory, const std::string& folder, const EvaluationControl& control,
                           EvaluationResult* result) {
  const ModelSpec& spec = model->info().spec;
  std::map<std::string, int> index;
  for (int i = 0; i < dataset.size(); ++i) index[dataset.name(i)] = i;
  ASSIGN_OR_RETURN(const std::vector<size_t> chosen, Choose(result->picture_figures, choice));
  for (size_t i = 0; i < chosen.size(); ++i) {
    RETURN_IF_ERROR(EvaluationStep(control, "pictures", static_cast<int>(i), static_cast<int>(chosen.size())));
    PictureFigures& figures = result->picture_figures[chosen[i]];
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(index.at(figures.name)));
    ASSIGN_OR_RETURN(Segmentation answer, Ask(model, figures.name, picture.image, /*want_probabilities=*/false));
    const ByteMap labels = {answer.width, answer.height, std::move(answer.labels)};
    const FloatMap uncertainty = {answer.width, answer.height, std::move(answer.kinds[0].map)};
    const float range_max = UncertaintyKindMax(spec.default_kind(), spec.class_count());
    ASSIGN_OR_RETURN(const PictureFigures files,
                     WritePictureFiles(directory, folder, figures.name,
                                       {picture.image, labels, picture.labels, uncertainty}, range_max, spec.classes));
    figures.picture_file = files.picture_file;
    figures.labels_file = files.labels_file;
    figures.truth_file = files.truth_file;
    figures.uncertainty_file = files.uncertainty_file;
    figures.error_file = files.error_file;
  }
  return absl::OkStatus();
}

}  // namespace candor
