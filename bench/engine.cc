// SPDX-License-Identifier: Apache-2.0
//
// The network on the CPU: the readable module and the compiled engine over the same pictures, in turns, so that a busy
// machine slows all alike. Two lines each: the networks alone, and from the networks to labels and an uncertainty map.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/engine/compiled_network.h"
#include "core/engine/cpu_features.h"
#include "core/nn/fold_norm.h"
#include "core/nn/pooled_allocator.h"
#include "core/nn/weights.h"
#include "core/uncertainty/cpu_reducer.h"
#include "core/uncertainty/network_predictor.h"
#include "core/uncertainty/side_by_side_members.h"

namespace candor {
namespace {

struct Flags {
  int height = 512;
  int width = 1024;
  int classes = 19;
  int model_width = 64;
  int learned = 0;
  int members = 1;
  int batch = 1;
  int threads = 2;
  int rounds = 15;
  std::string precision = "all";
  std::string weights;
  std::string only;
  bool json = false;
};

using Networks = std::vector<std::shared_ptr<Network>>;

struct Contestant {
  std::string name;
  std::function<void()> run;
  std::vector<double> milliseconds;
};

absl::StatusOr<SegmentationNet> MakeNet(const Flags& flags, int member) {
  torch::manual_seed(member);
  SegmentationNet net(flags.model_width, flags.classes, flags.learned);
  if (!flags.weights.empty()) {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(flags.weights, int64_t{1} << 30));
    ASSIGN_OR_RETURN(const TensorFile file, ParseSafetensors(bytes));
    RETURN_IF_ERROR(LoadWeights(file, net));
  }
  net->eval();
  return net;
}

// A predictor with the map that a user would ask for.
std::function<void()> ToLabels(const Flags& flags, const Networks& networks, const torch::Tensor& images) {
  const bool has_stddev = flags.learned > 0 || flags.members > 1;
  const UncertaintyKind kind = has_stddev ? UncertaintyKind::kPredictiveStddev : UncertaintyKind::kPredictiveEntropy;
  const std::vector<UncertaintyKind> all = {kMemberUncertaintyKinds.begin(), kMemberUncertaintyKinds.end()};
  const std::vector<UncertaintyKind> learned(all.begin(), all.begin() + flags.learned);
  auto predictor = std::make_shared<NetworkPredictor>(std::make_unique<SideBySideMembers>(networks), all,
                                                      ScoreMeaning{learned}, std::make_unique<CpuReducer>());
  return [=] {
    const std::vector<KindRequest> kinds = {{kind, true}};
    const auto result = predictor->Predict(images, {flags.height, flags.width}, {kinds}, nullptr);
    TORCH_CHECK(result.ok(), result.status().ToString());
  };
}

void AddContestants(const std::string& name, const Flags& flags, Networks networks, const torch::Tensor& images,
                    std::vector<Contestant>* all) {
  all->push_back({name + " network",
                  [networks, images] {
                    for (const auto& network : networks) network->Forward(images);
                  },
                  {}});
  if (networks.size() > 1) {
    auto members = std::make_shared<SideBySideMembers>(networks);
    all->push_back({name + " network, side by side",
                    [members, images] {
                      const torch::InferenceMode inference;
                      for (int m = 0; m < members->members(); ++m) members->Run(m, images);
                    },
                    {}});
  }
  all->push_back({name + " to labels", ToLabels(flags, networks, images), {}});
}

// The ranges of the encoder's maps for these pictures, as calibration finds them.
EncoderRanges RangesOn(const SegmentationNetImpl& net, const torch::Tensor& images) {
  EncoderRanges ranges;
  CompiledNetwork network(net, Precision::kFp32);
  network.Observe(ObserveRanges(&ranges));
  network.Encode(images);
  return ranges;
}

absl::StatusOr<std::vector<Contestant>> MakeContestants(const Flags& flags, const torch::Tensor& images) {
  const auto is_wanted = [&flags](const char* name) { return flags.precision == name || flags.precision == "all"; };
  const bool has_fp32 = is_wanted("fp32");
  const bool has_bf16 = is_wanted("bf16") && HasNativeBf16();
  const bool has_int8 = is_wanted("int8") && HasNativeInt8();
  Networks readable, fp32, bf16, int8;
  for (int m = 0; m < flags.members; ++m) {
    ASSIGN_OR_RETURN(SegmentationNet net, MakeNet(flags, m));
    if (has_fp32) fp32.push_back(std::make_shared<CompiledNetwork>(*net, Precision::kFp32));
    if (has_bf16) bf16.push_back(std::make_shared<CompiledNetwork>(*net, Precision::kBf16));
    if (has_int8) {
      int8.push_back(std::make_shared<CompiledNetwork>(*net, Precision::kInt8, RangesOn(*net, images)));
    }
    PrepareForInference(*net);
    readable.push_back(net.ptr());
  }
  std::vector<Contestant> all;
  AddContestants("readable fp32", flags, readable, images, &all);
  if (has_fp32) AddContestants("engine fp32", flags, fp32, images, &all);
  if (has_bf16) AddContestants("engine bf16", flags, bf16, images, &all);
  if (has_int8) AddContestants("engine int8", flags, int8, images, &all);
  return all;
}

double TimeOf(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void Print(const Contestant& contestant, bool json) {
  if (json) {
    std::printf("{\"name\": \"%s\", \"ms\": [", contestant.name.c_str());
    for (size_t i = 0; i < contestant.milliseconds.size(); ++i) {
      std::printf("%s%.3f", i == 0 ? "" : ", ", contestant.milliseconds[i]);
    }
    std::printf("]}\n");
    return;
  }
  std::vector<double> sorted = contestant.milliseconds;
  std::sort(sorted.begin(), sorted.end());
  std::printf("%-24s %9.2f ms median %9.2f ms least\n", contestant.name.c_str(), sorted[sorted.size() / 2], sorted[0]);
}

int Run(const Flags& flags) {
  InstallPooledAllocator();  // as the server does
  at::set_num_threads(flags.threads);
  const torch::InferenceMode inference;
  const torch::Tensor images =
      torch::rand({flags.batch, 3, flags.height, flags.width}).contiguous(torch::MemoryFormat::ChannelsLast);
  absl::StatusOr<std::vector<Contestant>> contestants = MakeContestants(flags, images);
  if (!contestants.ok()) {
    std::fprintf(stderr, "candor-bench-network: %s\n", std::string(contestants.status().message()).c_str());
    return 1;
  }
  const auto is_left_out = [&](const Contestant& each) { return each.name.find(flags.only) == std::string::npos; };
  contestants->erase(std::remove_if(contestants->begin(), contestants->end(), is_left_out), contestants->end());
  for (Contestant& contestant : *contestants) contestant.run();  // packs weights, grows the allocator's pool
  for (int round = 0; round < flags.rounds; ++round) {
    for (Contestant& contestant : *contestants) contestant.milliseconds.push_back(TimeOf(contestant.run));
  }
  for (const Contestant& contestant : *contestants) Print(contestant, flags.json);
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Times the readable and the compiled network, in turns, over pictures of noise.",
               "candor-bench-network");
  app.add_option("--height", flags.height, "A multiple of 16")->capture_default_str();
  app.add_option("--width", flags.width, "A multiple of 16")->capture_default_str();
  app.add_option("--classes", flags.classes, "")->capture_default_str();
  app.add_option("--model-width", flags.model_width, "Channels of the first stage")->capture_default_str();
  app.add_option("--learned", flags.learned, "Uncertainty channels, for a student")->capture_default_str();
  app.add_option("--members", flags.members, "More than one: an ensemble")->capture_default_str();
  app.add_option("--batch", flags.batch, "Pictures that run together")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "")->capture_default_str();
  app.add_option("--rounds", flags.rounds, "")->capture_default_str();
  app.add_option("--precision", flags.precision, "Of the engine")
      ->check(CLI::IsMember({"all", "fp32", "bf16", "int8"}))
      ->capture_default_str();
  app.add_option("--weights", flags.weights, "safetensors, keys as segmentation_models_pytorch's; default: random");
  app.add_option("--only", flags.only, "Those only whose names have this in them, say 'fp32 network'");
  app.add_flag("--json", flags.json, "One object a line: name and all times in ms, instead of medians");
  CLI11_PARSE(app, argc, argv);
  return Run(flags);
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) { return candor::Main(argc, argv); }
