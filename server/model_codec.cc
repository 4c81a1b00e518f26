// SPDX-License-Identifier: Apache-2.0
#include "server/model_codec.h"

#include <string>

namespace candor {
namespace {

v1::ModelKind ToProto(ModelKind kind) {
  switch (kind) {
    case ModelKind::kStudent:
      return v1::STUDENT;
    case ModelKind::kEnsemble:
      return v1::ENSEMBLE;
    case ModelKind::kSingle:
      return v1::SINGLE;
  }
  return v1::MODEL_KIND_UNSPECIFIED;
}

void FillCalibration(const Calibration& calibration, v1::CalibrationInfo* message) {
  message->set_data(calibration.data);
  message->set_temperature(calibration.temperature);
  if (!calibration.verdict.has_value()) return;
  v1::VerdictInfo* verdict = message->mutable_verdict();
  verdict->set_kind(ToProto(calibration.verdict->kind));
  verdict->set_accept_max(calibration.verdict->accept_max);
  verdict->set_review_max(calibration.verdict->review_max);
  verdict->set_error_rate(calibration.verdict->error_rate);
  verdict->set_reject_error_rate(calibration.verdict->reject_error_rate);
}

}  // namespace

v1::UncertaintyKind ToProto(UncertaintyKind kind) {
  switch (kind) {
    case UncertaintyKind::kPredictiveStddev:
      return v1::PREDICTIVE_STDDEV;
    case UncertaintyKind::kPredictiveEntropy:
      return v1::PREDICTIVE_ENTROPY;
    case UncertaintyKind::kExpectedEntropy:
      return v1::EXPECTED_ENTROPY;
    case UncertaintyKind::kMutualInformation:
      return v1::MUTUAL_INFORMATION;
    case UncertaintyKind::kMaxProbability:
      return v1::MAX_PROBABILITY;
    case UncertaintyKind::kMargin:
      return v1::MARGIN;
    case UncertaintyKind::kDisagreement:
      return v1::DISAGREEMENT;
    case UncertaintyKind::kEnergy:
      return v1::ENERGY;
    case UncertaintyKind::kFeatureDensity:
      return v1::FEATURE_DENSITY;
  }
  return v1::UNCERTAINTY_KIND_UNSPECIFIED;
}

void FillIdentity(const ModelInfo& info, v1::ModelIdentity* message) {
  message->set_name(info.name);
  message->set_version(info.version);
  message->set_digest(info.digest);
}

void FillModel(const LoadedModel& model, v1::Model* message) {
  const ModelInfo& info = model.segmenter->info();
  FillIdentity(info, message->mutable_identity());
  message->set_kind(ToProto(info.spec.kind));
  for (const std::string& alias : model.aliases) message->add_aliases(alias);
  message->set_members(static_cast<int>(info.spec.weights.size()));
  message->set_damaged_members(static_cast<int>(info.damaged_members.size()));
  message->set_architecture(info.spec.architecture);
  message->set_width(info.spec.width);
  message->set_parameters(info.parameters);
  for (const ClassSpec& spec : info.spec.classes) {
    v1::ClassInfo* class_info = message->add_classes();
    class_info->set_name(spec.name);
    class_info->set_red(spec.colour.red);
    class_info->set_green(spec.colour.green);
    class_info->set_blue(spec.colour.blue);
  }
  for (const ClassGroup& group : info.spec.groups) {
    v1::ClassGroupInfo* group_info = message->add_groups();
    group_info->set_name(group.name);
    for (int index : group.classes) group_info->add_class_indices(index);
  }
  for (UncertaintyKind kind : info.spec.uncertainty) {
    v1::UncertaintyKindInfo* kind_info = message->add_uncertainty();
    kind_info->set_kind(ToProto(kind));
    kind_info->set_name(std::string(UncertaintyKindName(kind)));
    kind_info->set_unit(std::string(UncertaintyKindUnit(kind)));
    kind_info->set_range_max(UncertaintyKindMax(kind, info.spec.class_count()));
  }
  message->set_device(info.device);
  message->set_precision(info.precision);
  if (info.spec.sampling.method != SamplingMethod::kNone) {
    message->set_sampling(std::string(SamplingMethodName(info.spec.sampling.method)));
  }
  message->set_predictions(PredictionCount(info.spec));
  if (info.spec.calibration.has_value()) FillCalibration(*info.spec.calibration, message->mutable_calibration());
}

}  // namespace candor
