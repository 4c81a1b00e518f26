// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/student_objective.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/uncertainty/make_predictor.h"
#include "trainer/data/dataset.h"
#include "trainer/training/dense_stddev_objective.h"
#include "trainer/training/dirichlet_objective.h"
#include "trainer/training/knowledge_objective.h"
#include "trainer/training/logit_gaussian_objective.h"
#include "trainer/training/observer_objective.h"
#include "trainer/training/teacher_cache.h"

namespace candor {
namespace {

absl::StatusOr<Teacher> LoadMaps(const Bundle& bundle, const TrainingDevice& device) {
  Teacher teacher;
  const torch::InferenceMode inference;
  ASSIGN_OR_RETURN(teacher.predictor, MakePredictor(
                                          bundle.spec, bundle.spec.weights.size(),
                                          [&bundle](size_t index) { return ReadMember(bundle, index); }, device.device,
                                          device.make_reducer));
  teacher.predictions = PredictionCount(bundle.spec);
  teacher.classes = bundle.spec.class_count();
  return teacher;
}

absl::StatusOr<std::unique_ptr<TeacherSamples>> LoadSamples(const TrainOptions& options, const Bundle& bundle,
                                                            torch::Device device) {
  // A mean can be of one prediction.
  const int least = options.student.method == StudentMethod::kKnowledge ? 1 : 2;
  ASSIGN_OR_RETURN(std::unique_ptr<TeacherSamples> samples, LoadTeacherSamples(bundle, least, device));
  if (options.student.teacher_cache.empty()) return samples;
  ASSIGN_OR_RETURN(const std::unique_ptr<Dataset> data, OpenDataset(options.data, options.train_split));
  ASSIGN_OR_RETURN(const std::string data_digest, data->Fingerprint());
  auto identity = options.identity;
  identity.emplace_back("data_digest", data_digest);
  const std::string folder = TeacherCacheFolder(options.student.teacher_cache, bundle.digest, device.str(), identity);
  return MakeTeacherCache(folder, std::move(samples));
}

}  // namespace

absl::StatusOr<StudentTeacher> LoadTeacher(const TrainOptions& options, const Bundle& bundle,
                                           const TrainingDevice& device) {
  StudentTeacher teacher;
  switch (options.student.method) {
    case StudentMethod::kDudes:
    case StudentMethod::kObserver: {
      ASSIGN_OR_RETURN(teacher.maps, LoadMaps(bundle, device));
      return teacher;
    }
    case StudentMethod::kKnowledge:
    case StudentMethod::kDirichlet:
    case StudentMethod::kLogitGaussian:
    case StudentMethod::kDenseStddev:
      break;
  }
  ASSIGN_OR_RETURN(teacher.samples, LoadSamples(options, bundle, device.device));
  return teacher;
}

std::unique_ptr<Objective> MakeStudentObjective(const TrainOptions& options, SegmentationNet net,
                                                torch::Tensor class_weights, StudentTeacher teacher) {
  const StudentOptions& student = options.student;
  switch (student.method) {
    case StudentMethod::kKnowledge:
      return MakeKnowledgeObjective(std::move(net), options.precision, std::move(class_weights),
                                    std::move(teacher.samples), student);
    case StudentMethod::kDenseStddev:
      return MakeDenseStddevObjective(std::move(net), options.precision, std::move(class_weights),
                                      std::move(teacher.samples), options.uncertainty);
    case StudentMethod::kDirichlet:
      return MakeDirichletObjective(std::move(net), options.precision, std::move(class_weights),
                                    std::move(teacher.samples), student);
    case StudentMethod::kLogitGaussian:
      return MakeLogitGaussianObjective(std::move(net), options.precision, std::move(class_weights),
                                        std::move(teacher.samples), student);
    case StudentMethod::kObserver:
      return MakeObserverObjective(std::move(net), options.precision, std::move(teacher.maps), options.uncertainty);
    case StudentMethod::kDudes:
      break;
  }
  return MakeDistillationObjective(std::move(net), options.precision, std::move(class_weights), std::move(teacher.maps),
                                   options.uncertainty);
}

}  // namespace candor
