// SPDX-License-Identifier: Apache-2.0
//
// From the members' low-resolution scores to labels and a map of the predictive standard deviation, by candor's fused
// pass and by Torch's operators: time in turns, and the memory that one call adds to what its inputs and results take.
#include <ATen/Parallel.h>
#include <sys/wait.h>
#include <torch/torch.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/base/status_macros.h"
#include "core/nn/pooled_allocator.h"
#include "core/uncertainty/cpu_reducer.h"

namespace candor {
namespace {

using torch::Tensor;

struct Flags {
  int height = 512;
  int width = 1024;
  int classes = 19;
  int members = 10;
  int threads = 2;
  int rounds = 9;
};

// Labels and the deviation at the label, [height, width] each.
struct Result {
  Tensor labels, stddev;
};

struct Contestant {
  std::string name;
  std::function<void()> run;
  double extra_mib = 0;
  std::vector<double> milliseconds;
};

Tensor Upsample(const Tensor& scores, const Flags& flags) {
  return at::upsample_bilinear2d(scores, {flags.height, flags.width}, /*align_corners=*/true);
}

// As one would write it down: all members' probabilities at full size, then mean, label and deviation.
Result ByOperators(const std::vector<Tensor>& members, const Flags& flags) {
  const Tensor probabilities = torch::softmax(Upsample(torch::cat(members), flags), 1);  // [M, C, H, W]
  const Tensor label = probabilities.mean(0).argmax(0);
  const Tensor at_label = probabilities.gather(1, label.expand({probabilities.size(0), 1, -1, -1}));
  return {label, at_label.std(0).squeeze(0)};
}

// Member after member, with running sums of all classes.
Result ByRunningSums(const std::vector<Tensor>& members, const Flags& flags) {
  Tensor sum, squares;
  for (const Tensor& scores : members) {
    const Tensor p = torch::softmax(Upsample(scores, flags), 1)[0];
    if (!sum.defined()) {
      sum = p.clone();
      squares = p * p;
    } else {
      sum.add_(p);
      squares.addcmul_(p, p);
    }
  }
  const auto count = static_cast<double>(members.size());
  const Tensor label = sum.argmax(0);
  const auto at_label = [&](const Tensor& map) { return map.gather(0, label.unsqueeze(0)).squeeze(0); };
  const Tensor mean = at_label(sum) / count;
  return {label, ((at_label(squares) - mean * mean * count) / (count - 1)).clamp_min(0).sqrt()};
}

absl::StatusOr<std::vector<Segmentation>> ByFusedPass(const std::vector<Tensor>& members, const Flags& flags,
                                                      CpuReducer* reducer) {
  reducer->Reset(static_cast<int>(members.size()), ScoreMeaning{});
  for (size_t m = 0; m < members.size(); ++m) {
    if (const absl::Status status = reducer->Add(static_cast<int>(m), {members[m], {}}); !status.ok()) return status;
  }
  const std::vector<KindRequest> kinds = {{UncertaintyKind::kPredictiveStddev, true}};
  const std::vector<PictureRequest> requests = {{{flags.height, flags.width}, {kinds}}};
  ASSIGN_OR_RETURN(PendingAnswers answers, reducer->Finish(requests));
  return std::move(answers).Take();
}

// A field of /proc/self/status, in MiB.
double MemoryField(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field, 0) == 0) return std::stod(line.substr(field.size())) / 1024;
  }
  return 0;
}

// How far a first call raises resident memory above what stood before, less the result; in a process of its own.
double ExtraMemory(const std::function<void()>& run, double result_mib) {
  int ends[2];
  TORCH_CHECK(pipe(ends) == 0, "pipe");
  if (fork() == 0) {
    at::set_num_threads(1);                       // a child has no threads of its parent
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak starts at the present
    const double before = MemoryField("VmRSS:");
    run();
    const double extra = MemoryField("VmHWM:") - before - result_mib;
    _exit(write(ends[1], &extra, sizeof(extra)) == sizeof(extra) ? 0 : 1);
  }
  double extra = 0;
  TORCH_CHECK(read(ends[0], &extra, sizeof(extra)) == sizeof(extra), "a contestant's process gave no answer");
  wait(nullptr);
  close(ends[0]);
  close(ends[1]);
  return extra;
}

// Members of one opinion with noise, so that deviations are like an ensemble's.
std::vector<Tensor> Members(const Flags& flags) {
  torch::manual_seed(1);
  const Tensor common = 4 * torch::randn({1, flags.classes, flags.height / 4, flags.width / 4});
  std::vector<Tensor> members;
  for (int m = 0; m < flags.members; ++m) {
    members.push_back((common + torch::randn_like(common)).contiguous(torch::MemoryFormat::ChannelsLast));
  }
  return members;
}

// Share of equal labels and the largest difference of deviations from the fused pass's.
void PrintAgreement(const char* name, const Result& result, const Segmentation& ours) {
  const Tensor labels = torch::tensor(torch::ArrayRef<uint8_t>(ours.labels));
  const Tensor map = torch::tensor(torch::ArrayRef<float>(ours.kinds[0].map));
  const double equal = (result.labels.flatten() == labels).to(torch::kFloat).mean().item<double>();
  const Tensor difference = (result.stddev.flatten() - map).abs() * (result.labels.flatten() == labels);
  std::fprintf(stderr, "  %s: labels %.3f %% equal, deviations there within %.1e\n", name, 100 * equal,
               difference.max().item<double>());
}

int Run(const Flags& flags) {
  const torch::InferenceMode inference;
  at::set_num_threads(flags.threads);
  const std::vector<Tensor> members = Members(flags);
  CpuReducer reducer;
  std::vector<Contestant> all = {
      {"candor", [&] { TORCH_CHECK(ByFusedPass(members, flags, &reducer).ok()); }, 0, {}},
      {"torch operators", [&] { ByOperators(members, flags); }, 0, {}},
      {"torch running sums", [&] { ByRunningSums(members, flags); }, 0, {}},
  };
  const double pixels_mib = static_cast<double>(flags.height) * flags.width / (1 << 20);
  for (Contestant& each : all) {
    const double bytes_a_pixel = &each == &all[0] ? 1 + 4 : 8 + 4;  // of labels and map
    each.extra_mib = ExtraMemory(each.run, bytes_a_pixel * pixels_mib);
  }
  InstallPooledAllocator();  // fresh memory for each result would count against Torch
  const Segmentation ours = (*ByFusedPass(members, flags, &reducer))[0];
  PrintAgreement("torch operators", ByOperators(members, flags), ours);
  PrintAgreement("torch running sums", ByRunningSums(members, flags), ours);
  for (int round = 0; round < flags.rounds; ++round) {
    for (Contestant& each : all) {
      const auto start = std::chrono::steady_clock::now();
      each.run();
      each.milliseconds.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
  }
  std::printf("%-20s %10s %8s %12s %8s\n", "", "ms", "ratio", "extra MiB", "ratio");
  double first_ms = 0;
  for (Contestant& each : all) {
    std::sort(each.milliseconds.begin(), each.milliseconds.end());
    const double median = each.milliseconds[each.milliseconds.size() / 2];
    if (first_ms == 0) first_ms = median;
    std::printf("%-20s %10.2f %8.2f %12.1f %8.2f\n", each.name.c_str(), median, median / first_ms, each.extra_mib,
                each.extra_mib / all[0].extra_mib);
  }
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Times the reduction of an ensemble's scores against Torch's operators, in turns.",
               "candor-bench-reduction");
  app.add_option("--height", flags.height, "A multiple of 16")->capture_default_str();
  app.add_option("--width", flags.width, "A multiple of 16")->capture_default_str();
  app.add_option("--classes", flags.classes, "")->capture_default_str();
  app.add_option("--members", flags.members, "At least 2")->check(CLI::Range(2, 255))->capture_default_str();
  app.add_option("--threads", flags.threads, "")->capture_default_str();
  app.add_option("--rounds", flags.rounds, "")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return Run(flags);
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) { return candor::Main(argc, argv); }
