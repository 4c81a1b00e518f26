// SPDX-License-Identifier: Apache-2.0
//
// A checked TrainerConfig (proto/candor/v1/config.proto, which explains each field) as plain data, for code that may
// see no protobuf header.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_spec.h"
#include "core/model/safetensors.h"
#include "core/model/uncertainty_kind.h"
#include "trainer/data/batch_loader.h"

namespace candor {

enum class TrainingPrecision { kBf16, kFp32 };
enum class UncertaintyPixels { kAll, kPicture, kLabelled };
enum class UncertaintyRoot { kBatch, kImage };
enum class KeptWeights { kLast, kBest };
enum class MemberMethod { kPlain, kBayes, kBatchEnsemble };
enum class StudentMethod { kDudes, kKnowledge, kDirichlet, kLogitGaussian, kDenseStddev, kObserver };
enum class LearningSchedule { kPoly, kCyclic, kConstantTail };

struct OptimizerOptions {
  double learning_rate = 0.01;
  double decoder_factor = 10;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  double poly_power = 0.9;
  int poly_phase = 0;
  LearningSchedule schedule = LearningSchedule::kPoly;
  int cycles = 5;
  double tail_share = 0.25;
  double tail_factor = 0.5;
};

struct BayesOptions {
  bool is_decoder_only = false;
  double prior_stddev = 1;
  double prior_narrow_stddev = 0.1;
  double prior_mix = 0.5;
  double initial_stddev = 0.05;
  double kl_weight = 1;
  double kl_warmup = 0.25;
};

struct StudentOptions {
  StudentMethod method = StudentMethod::kDudes;
  double temperature = 4;
  double distillation_weight = 1;
  double label_weight = 1;
  int rank = 0;
  std::string teacher_cache;
};

struct UncertaintyLossOptions {
  std::vector<UncertaintyKind> targets = {UncertaintyKind::kPredictiveStddev};
  double weight = 1;
  UncertaintyPixels pixels = UncertaintyPixels::kAll;
  UncertaintyRoot root = UncertaintyRoot::kBatch;
  bool population_stddev = false;
  bool detach_features = false;
};

struct TrainOptions {
  std::string data;
  std::string train_split = "train";
  std::string validation_split = "val";  // "none": none
  int width = 64;
  std::string encoder_weights;
  bool pretrained_members = false;
  double dropout = 0;
  int dropout_passes = 10;
  int epochs = 200;
  LoaderOptions loader;
  OptimizerOptions optimizer;
  TrainingPrecision precision = TrainingPrecision::kBf16;
  std::string class_weights = "none";
  double ema_decay = 0;
  MemberMethod member_method = MemberMethod::kPlain;
  int passes = 10;
  BayesOptions bayes;
  bool shared_encoder = false;
  UncertaintyLossOptions uncertainty;
  StudentOptions student;
  uint64_t seed = 0;
  int validate_every = 5;
  KeptWeights keep = KeptWeights::kLast;
  int snapshots = 0;
  DType store = DType::kF16;
  std::string training;
  int members = 10;
  std::string device = "auto";
  int threads = 0;
  int log_every_steps = 20;
  int checkpoint_seconds = 300;

  // What a run is, as (field, value) in the configuration's words: a checkpoint resumes only where all are equal.
  std::vector<std::pair<std::string, std::string>> identity;
};

}  // namespace candor
