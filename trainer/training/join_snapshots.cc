// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/join_snapshots.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/in_file.h"
#include "core/base/status_macros.h"
#include "core/nn/torch_guard.h"
#include "trainer/training/run_folder.h"
#include "trainer/training/snapshots.h"
#include "trainer/write_model.h"

namespace candor {
namespace {

absl::StatusOr<std::vector<std::string>> ChosenSnapshots(const JoinOptions& options) {
  const std::string folder = MemberFolder(options.run, options.index);
  std::vector<std::string> files = ListSnapshots(folder);
  const size_t wanted = options.last == 0 ? std::max<size_t>(2, files.size()) : static_cast<size_t>(options.last);
  if (files.size() < wanted) {
    return absl::FailedPreconditionError(absl::StrCat(folder, "/snapshots: must have at least ", wanted,
                                                      " snapshots, has ", files.size(),
                                                      "; a run keeps them with schedule cyclic or with snapshots"));
  }
  files.erase(files.begin(), files.end() - static_cast<std::ptrdiff_t>(wanted));
  return files;
}

absl::Status JoinUnguarded(const JoinOptions& options) {
  if (options.last != 0 && (options.last < 2 || options.last > 128)) {
    return absl::InvalidArgumentError(absl::StrCat("last: must be in [2, 128], got ", options.last));
  }
  const std::string model = MemberModel(options.run, options.index);
  ASSIGN_OR_RETURN(ModelSpec spec, EnsembleLike(model));
  ASSIGN_OR_RETURN(const DType store, StoredType(model));
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ChosenSnapshots(options));
  std::vector<TensorFile> members;
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(TensorFile weights, ReadSnapshot(file));
    if (const absl::Status status = ConvertFloats(store, &weights); !status.ok()) return InFile(file, status);
    members.push_back(std::move(weights));
  }
  return WriteModel(std::move(spec), std::move(members), store, options.out);
}

}  // namespace

absl::StatusOr<ModelSpec> EnsembleLike(const std::string& directory) {
  if (!HoldsBundle(directory)) {
    return absl::FailedPreconditionError(absl::StrCat(directory, ": no model is there; the member is not finished"));
  }
  ASSIGN_OR_RETURN(const Bundle bundle, OpenBundle(directory));
  const SamplingMethod method = bundle.spec.sampling.method;
  if (method != SamplingMethod::kNone && method != SamplingMethod::kMcDropout) {
    return absl::InvalidArgumentError(absl::StrCat(directory, ": its network samples by ", SamplingMethodName(method),
                                                   ", an ensemble is of plain networks"));
  }
  ModelSpec spec;
  spec.kind = ModelKind::kEnsemble;
  spec.architecture = bundle.spec.architecture;
  spec.width = bundle.spec.width;
  spec.classes = bundle.spec.classes;
  spec.groups = bundle.spec.groups;
  spec.normalisation = bundle.spec.normalisation;
  spec.training = bundle.spec.training;
  return spec;
}

absl::StatusOr<DType> StoredType(const std::string& directory) {
  ASSIGN_OR_RETURN(const Bundle bundle, OpenBundle(directory));
  ASSIGN_OR_RETURN(const TensorFile weights, ReadMember(bundle, 0));
  for (const NamedTensor& tensor : weights.tensors) {
    if (tensor.dtype != DType::kI64) return tensor.dtype;
  }
  return DType::kF32;
}

absl::Status JoinSnapshots(const JoinOptions& options) {
  return GuardTorch([&] { return JoinUnguarded(options); });
}

}  // namespace candor
