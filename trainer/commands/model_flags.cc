// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/model_flags.h"

#include <unistd.h>

#include <cstdio>

#include "core/base/cpu_count.h"
#include "core/base/status_macros.h"
#include "trainer/stop_signal.h"

namespace candor {

void AddModelFlags(CLI::App* command, ModelFlags* flags) {
  command->add_option("--bundle", flags->bundle, "The model's directory")->required();
  command->add_option("--members", flags->members, "Only these members of an ensemble, e.g. 0,1,2")->delimiter(',');
  command->add_option("--device", flags->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command
      ->add_option(
          "--precision", flags->precision,
          "What networks compute in: fp32, bf16, int8 (after quantise), or auto: bf16 where the processor has it "
          "natively")
      ->check(CLI::IsMember({"fp32", "bf16", "int8", "auto"}))
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0: the cores this process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void AddDataFlags(CLI::App* command, const std::string& default_split, DataFlags* flags) {
  flags->split = default_split;
  command->add_option("--data", flags->location, "camvid:DIR, cityscapes:DIR, voc:DIR or folder:DIR")->required();
  command->add_option("--split", flags->split, "Which part of it")->capture_default_str();
}

absl::Status ResolveDevice(ModelFlags* flags) {
  ASSIGN_OR_RETURN(const Device wanted, ParseDevice(flags->device));
  ASSIGN_OR_RETURN(const Device device, PrepareDevice(wanted));
  flags->device = device == Device::kCuda ? "cuda" : "cpu";
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Segmenter>> LoadModel(const ModelFlags& flags, LoadOptions options) {
  ASSIGN_OR_RETURN(const Device wanted, ParseDevice(flags.device));
  ASSIGN_OR_RETURN(options.device, PrepareDevice(wanted));
  options.threads = flags.threads > 0 ? flags.threads : UsableCores();
  ASSIGN_OR_RETURN(options.precision, ParsePrecision(flags.precision));
  options.members = flags.members;
  return LoadSegmenter(flags.bundle, options);
}

EvaluationControl ProgressOnTerminal() {
  EvaluationControl control;
  control.stop_requested = StopRequested;
  if (isatty(STDERR_FILENO) == 0) return control;
  control.on_progress = [](const EvaluationProgress& progress) {
    std::fprintf(stderr, "\r\033[K%s %d of %d", progress.what.c_str(), progress.done + 1, progress.total);
    if (progress.done + 1 == progress.total) std::fprintf(stderr, "\r\033[K");
    std::fflush(stderr);
  };
  return control;
}

}  // namespace candor
