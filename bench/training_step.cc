// SPDX-License-Identifier: Apache-2.0
//
// Times candor's training step on made-up crops, for bench/training_step.py, which runs PyTorch's beside it.
//
// On stdin one line a run, "member STEPS" or "distill STEPS MEMBERS"; on stdout the milliseconds an image of each step.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "core/nn/pooled_allocator.h"
#include "core/nn/weights.h"
#include "core/uncertainty/cpu_reducer.h"
#include "core/uncertainty/make_predictor.h"
#include "trainer/training/objective.h"
#include "trainer/training/training_state.h"

namespace candor {
namespace {

struct Setting {
  int width = 64;
  int crop = 256;
  int batch = 8;
  int classes = 19;
  int threads = 2;
  bool bf16 = true;
};

ModelSpec SpecOf(const Setting& setting, ModelKind kind) {
  ModelSpec spec;
  spec.kind = kind;
  spec.width = setting.width;
  spec.classes.resize(setting.classes);
  spec.uncertainty = {kind == ModelKind::kSingle ? UncertaintyKind::kPredictiveEntropy
                                                 : UncertaintyKind::kPredictiveStddev};
  return spec;
}

Teacher MakeTeacher(const Setting& setting, int members) {
  const ModelSpec spec = SpecOf(setting, ModelKind::kEnsemble);
  Teacher teacher;
  teacher.predictions = members;
  teacher.classes = setting.classes;
  const torch::InferenceMode inference;
  auto predictor = MakePredictor(
      spec, members, [&spec](size_t) { return SaveWeights(MakeNetwork(spec)); }, torch::kCPU,
      [] { return std::make_unique<CpuReducer>(); });
  teacher.predictor = *std::move(predictor);
  return teacher;
}

TensorBatch MakeBatch(const Setting& setting) {
  torch::manual_seed(1);
  TensorBatch batch;
  batch.images = torch::rand({setting.batch, setting.crop, setting.crop, 3}).permute({0, 3, 1, 2});
  batch.labels = torch::randint(0, setting.classes, {setting.batch, setting.crop, setting.crop}, torch::kUInt8);
  batch.padding = torch::zeros_like(batch.labels);
  return batch;
}

// Runs `steps` steps and prints each one's milliseconds an image.
void RunSteps(TrainingState& state, Objective& objective, const TensorBatch& batch, int steps) {
  for (int i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    state.optimizer().ZeroGradients();
    const Losses losses = *objective.Compute(batch);
    losses.total.backward();
    state.optimizer().Step(0.001);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    std::cout << elapsed.count() / static_cast<double>(batch.images.size(0)) << (i + 1 < steps ? " " : "");
  }
  std::cout << std::endl;
}

int Run(const Setting& setting) {
  InstallPooledAllocator();
  at::set_num_threads(setting.threads);
  TrainOptions options;
  const auto precision = setting.bf16 ? TrainingPrecision::kBf16 : TrainingPrecision::kFp32;
  const ModelSpec member = SpecOf(setting, ModelKind::kSingle);
  const ModelSpec student = SpecOf(setting, ModelKind::kStudent);
  const TensorBatch batch = MakeBatch(setting);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string what;
    int steps = 0;
    int members = 0;
    words >> what >> steps >> members;
    const bool distill = what == "distill";
    TrainingState state(distill ? student : member, MakeNetwork(distill ? student : member), options, torch::kCPU);
    const std::unique_ptr<Objective> objective =
        distill ? MakeDistillationObjective(state.net(), precision, {}, MakeTeacher(setting, members), {})
                : MakeSegmentationObjective(state.net(), precision, {});
    RunSteps(state, *objective, batch, steps);
  }
  return 0;
}

}  // namespace
}  // namespace candor

// Arguments: width crop batch classes threads bf16|fp32
int main(int argc, char** argv) {
  candor::Setting setting;
  int* const numbers[] = {&setting.width, &setting.crop, &setting.batch, &setting.classes, &setting.threads};
  for (int i = 0; i < 5 && i + 1 < argc; ++i) *numbers[i] = std::atoi(argv[i + 1]);
  if (argc > 6) setting.bf16 = std::string(argv[6]) == "bf16";
  return candor::Run(setting);
}
