// SPDX-License-Identifier: Apache-2.0
#include "trainer/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "trainer/import_weights.h"

namespace candor {
namespace {

ExitCode Report(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  std::cerr << "candor-train: " << status.message() << "\n";
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kDataLoss:
      return ExitCode::kIo;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kConfiguration;
    default:
      return ExitCodeFromStatus(status);
  }
}

struct ImportFlags {
  ImportOptions options;
  bool imagenet = false;
};

void AddImport(CLI::App& app, ImportFlags& flags) {
  static const std::map<std::string, ModelKind> kinds = {
      {"student", ModelKind::kStudent}, {"ensemble", ModelKind::kEnsemble}, {"single", ModelKind::kSingle}};
  static const std::map<std::string, DType> stores = {{"fp32", DType::kF32}, {"fp16", DType::kF16}};
  ImportOptions& options = flags.options;
  CLI::App* command = app.add_subcommand("import", "Turn safetensors weights into a bundle");
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
                   "camvid11, cityscapes19, voc21, or a JSON file [{\"name\": ..., \"colour\": [r, g, b]}, ...]")
      ->required();
  command->add_option("--width", options.width, "Channels of the encoder's first stage, a multiple of 4 in [4, 512]")
      ->capture_default_str();
  command->add_option("--store", options.store, "Type on disk: fp32 or fp16 (default fp16)")
      ->transform(CLI::CheckedTransformer(stores).description(""));
  command->add_flag("--imagenet-normalisation", flags.imagenet,
                    "The network wants ImageNet's mean and deviation (default: RGB in [0, 1] as it is)");
  command->add_option("--training", options.training, "Free text for model.json: data, recipe, licence");
  command->add_option("--seed", options.seed, "Of the parts that start random")->capture_default_str();
  command->add_option("--out", options.out, "Directory of the new bundle")->required();
}

ExitCode Import(ImportFlags& flags) {
  ImportOptions& options = flags.options;
  if (flags.imagenet) options.normalisation = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  const ExitCode code = Report(ImportWeights(options));
  if (code == ExitCode::kOk) std::cout << options.out << "\n";
  return code;
}

struct ExportFlags {
  std::string bundle;
  ExportNaming naming = ExportNaming::kSmp;
  std::string out;
};

void AddExport(CLI::App& app, ExportFlags& flags) {
  static const std::map<std::string, ExportNaming> namings = {{"smp", ExportNaming::kSmp},
                                                              {"torchvision", ExportNaming::kTorchvision}};
  CLI::App* command = app.add_subcommand("export", "Write a bundle's weights as float32 safetensors for Python");
  command->add_option("--bundle", flags.bundle, "Directory of the bundle")->required();
  command->add_option("--names", flags.naming, "smp (whole network) or torchvision (encoder only); default smp")
      ->transform(CLI::CheckedTransformer(namings).description(""));
  command->add_option("--out", flags.out, "Directory for member_N.safetensors or model.safetensors")->required();
}

}  // namespace

ExitCode RunTrainer(int argc, const char* const* argv) {
  CLI::App app("Makes and converts candor's models.", "candor-train");
  app.set_version_flag("--version", "candor " CANDOR_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 usage, 70 internal fault, 74 file not read or written, 78 weights or bundle refused.");
  ImportFlags import_flags;
  ExportFlags export_flags;
  AddImport(app, import_flags);
  AddExport(app, export_flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? ExitCode::kOk : ExitCode::kUsage;
  }
  if (app.got_subcommand("import")) return Import(import_flags);
  return Report(ExportWeights(export_flags.bundle, export_flags.naming, export_flags.out));
}

}  // namespace candor
