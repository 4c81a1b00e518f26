// SPDX-License-Identifier: Apache-2.0
//
// candor-train import and export: between bundles and the safetensors files of other tools.
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "trainer/commands/command.h"
#include "trainer/commands/report_status.h"
#include "trainer/import_weights.h"
#include "trainer/sampling_text.h"

namespace candor {
namespace {

struct ImportFlags {
  ImportOptions options;
  bool imagenet = false;
  std::string sampling;
};

CLI::App* AddImport(CLI::App& program, ImportFlags& flags) {
  static const std::map<std::string, ModelKind> kinds = {
      {"student", ModelKind::kStudent}, {"ensemble", ModelKind::kEnsemble}, {"single", ModelKind::kSingle}};
  static const std::map<std::string, DType> stores = {{"fp32", DType::kF32}, {"fp16", DType::kF16}};
  ImportOptions& options = flags.options;
  CLI::App* command = program.add_subcommand("import", "Turn safetensors weights into a bundle");
  command
      ->add_option("--weights", options.weights,
                   "Files, separated by commas, one a member; names as in segmentation_models_pytorch, or "
                   "torchvision's ResNet-18 (an encoder: the rest starts random)")
      ->delimiter(',')
      ->required();
  command->add_option("--kind", options.kind, "student, ensemble or single")
      ->required()
      ->transform(CLI::CheckedTransformer(kinds).description(""));
  command
      ->add_option("--classes", options.classes,
                   "camvid11, cityscapes19, voc21, or a JSON file [{\"name\": ..., \"colour\": [r, g, b]}, ...] or "
                   "{\"classes\": [...]}")
      ->required();
  command
      ->add_option("--group", options.groups,
                   "NAME=CLASS,CLASS,...: classes that belong together, as drivable=road,pavement; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--width", options.width, "Channels of the encoder's first stage, a multiple of 4 in [4, 512]")
      ->capture_default_str();
  command->add_option("--store", options.store, "Type on disk: fp32 or fp16 (default fp16)")
      ->transform(CLI::CheckedTransformer(stores).description(""));
  command->add_flag("--imagenet-normalisation", flags.imagenet,
                    "The network wants ImageNet's mean and deviation (default: RGB in [0, 1] as it is)");
  command->add_option("--sampling", flags.sampling,
                      "Of a single network, how it gives several predictions: mc_dropout:RATE:PASSES (trained with "
                      "dropout), augmentation:VIEW,..., a view being a scale and f for mirrored, as in "
                      "augmentation:1,1f,0.75,0.75f, weight_samples:PASSES[:decoder] or rank_one:MEMBERS (weights as "
                      "candor-train member makes them)");
  command->add_option("--training", options.training, "Free text for model.json: data, recipe, licence");
  command->add_option("--seed", options.seed, "Of the parts that start random")->capture_default_str();
  command->add_option("--out", options.out, "Directory of the new bundle")->required();
  return command;
}

ExitCode Import(ImportFlags flags) {
  ImportOptions& options = flags.options;
  if (flags.imagenet) options.normalisation = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  if (!flags.sampling.empty()) {
    const auto sampling = ParseSampling(flags.sampling);
    if (!sampling.ok()) return ReportStatus(sampling.status());
    options.sampling = *sampling;
  }
  const ExitCode code = ReportStatus(ImportWeights(options));
  if (code == ExitCode::kOk) std::cout << options.out << "\n";
  return code;
}

struct ExportFlags {
  std::string bundle;
  ExportNaming naming = ExportNaming::kSmp;
  std::string out;
};

CLI::App* AddExport(CLI::App& program, ExportFlags& flags) {
  static const std::map<std::string, ExportNaming> namings = {{"smp", ExportNaming::kSmp},
                                                              {"torchvision", ExportNaming::kTorchvision}};
  CLI::App* command = program.add_subcommand("export", "Write a bundle's weights as float32 safetensors for Python");
  command->add_option("--bundle", flags.bundle, "Directory of the bundle")->required();
  command->add_option("--names", flags.naming, "smp (whole network) or torchvision (encoder only); default smp")
      ->transform(CLI::CheckedTransformer(namings).description(""));
  command->add_option("--out", flags.out, "Directory for member_N.safetensors or model.safetensors")->required();
  return command;
}

}  // namespace

void AddConversionCommands(CLI::App& program, std::vector<Command>* commands) {
  const auto import_flags = std::make_shared<ImportFlags>();
  commands->push_back({AddImport(program, *import_flags), [import_flags] { return Import(*import_flags); }});
  const auto export_flags = std::make_shared<ExportFlags>();
  commands->push_back({AddExport(program, *export_flags), [export_flags] {
                         return ReportStatus(
                             ExportWeights(export_flags->bundle, export_flags->naming, export_flags->out));
                       }});
}

}  // namespace candor
