// SPDX-License-Identifier: Apache-2.0
#include "core/model/bundle.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/in_file.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr char kManifest[] = "model.json";
constexpr int64_t kMaxManifestBytes = 4 << 20;
constexpr int64_t kMaxWeightBytes = int64_t{4} << 30;

std::string MemberFileName(size_t index, size_t count) {
  return count == 1 ? "model.safetensors" : absl::StrCat("member_", index, ".safetensors");
}

absl::Status WriteManifest(const std::string& path, const ModelSpec& spec) {
  const std::string json = ModelSpecToJson(spec);
  if (static_cast<int64_t>(json.size()) > kMaxManifestBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": must have at most ", kMaxManifestBytes, " bytes, has ", json.size()));
  }
  return WriteFileAtomically(path, json);
}

bool IsSameFile(const FileRecord& a, const FileRecord& b) {
  return a.name == b.name && a.bytes == b.bytes && a.sha256 == b.sha256;
}

std::string Describe(const FileRecord& file) {
  return absl::StrCat(file.name, ", ", file.bytes, " bytes, SHA-256 ", file.sha256);
}

bool IsOfEncoder(const NamedTensor& tensor) { return absl::StartsWith(tensor.name, "encoder."); }

// The file is in memory twice for a moment, as bytes and as tensors.
absl::StatusOr<TensorFile> ReadRecord(const Bundle& bundle, const FileRecord& record) {
  const std::string path = (fs::path(bundle.directory) / record.name).string();
  std::error_code error;
  const auto size = fs::file_size(path, error);  // before reading: a wrong file may be of any size
  if (!error && size != static_cast<uintmax_t>(record.bytes)) {
    return absl::DataLossError(
        absl::StrCat(path, ": must have the ", record.bytes, " bytes ", kManifest, " says, has ", size));
  }
  auto bytes = ReadFile(path, kMaxWeightBytes);
  if (absl::IsNotFound(bytes.status())) {
    return absl::DataLossError(absl::StrCat(path, ": missing, ", kManifest, " lists it"));
  }
  if (!bytes.ok()) return std::move(bytes).status();
  if (const std::string digest = Sha256Hex(*bytes); digest != record.sha256) {
    return absl::DataLossError(
        absl::StrCat(path, ": must have the SHA-256 ", record.sha256, " ", kManifest, " says, has ", digest));
  }
  auto file = ParseSafetensors(*bytes);
  if (!file.ok()) return InFile(path, file.status());
  return file;
}

// `member` without its encoder, which must be that of `first`.
absl::StatusOr<TensorFile> WithoutEncoder(const TensorFile& member, const TensorFile& first, size_t index) {
  std::map<std::string, const NamedTensor*> of_first;
  for (const NamedTensor& tensor : first.tensors) {
    if (IsOfEncoder(tensor)) of_first[tensor.name] = &tensor;
  }
  TensorFile rest;
  rest.metadata = member.metadata;
  size_t shared = 0;
  for (const NamedTensor& tensor : member.tensors) {
    if (!IsOfEncoder(tensor)) {
      rest.tensors.push_back(tensor);
      continue;
    }
    const auto found = of_first.find(tensor.name);
    if (found == of_first.end() || found->second->dtype != tensor.dtype || found->second->data != tensor.data) {
      return absl::InvalidArgumentError(
          absl::StrCat("member ", index, ": ", tensor.name, ": must be member 0's, whose encoder all share"));
    }
    ++shared;
  }
  if (shared == of_first.size()) return rest;
  return absl::InvalidArgumentError(absl::StrCat("member ", index, ": must have the ", of_first.size(),
                                                 " tensors of member 0's encoder, has ", shared));
}

}  // namespace

// The directory's own spelling, links and all: `student -> models/2024-05` is a bundle called student.
absl::StatusOr<BundleName> NameOfBundle(const std::string& directory) {
  std::error_code error;
  fs::path path = fs::absolute(directory, error).lexically_normal();
  if (error) return absl::DataLossError(absl::StrCat(directory, ": ", error.message()));
  if (!path.has_filename()) path = path.parent_path();  // "a/b/" and "a/b/."
  BundleName result{path.filename().string()};
  const std::string parent = path.parent_path().filename().string();
  const bool digits = std::all_of(result.name.begin(), result.name.end(), absl::ascii_isdigit);
  int version = 0;
  if (digits && !parent.empty() && absl::SimpleAtoi(result.name, &version)) result = {parent, version};
  return result;
}

bool HoldsBundle(const std::string& directory) {
  std::error_code error;
  return fs::is_regular_file(fs::path(directory) / kManifest, error);
}

absl::StatusOr<TensorFile> ReadMember(const Bundle& bundle, size_t index) {
  const FileRecord& record = bundle.spec.weights[index];
  ASSIGN_OR_RETURN(TensorFile member, ReadRecord(bundle, record));
  if (!bundle.encoder.has_value() || IsSameFile(record, *bundle.encoder)) return member;
  ASSIGN_OR_RETURN(const TensorFile first, ReadRecord(bundle, *bundle.encoder));
  for (const NamedTensor& tensor : member.tensors) {
    if (!IsOfEncoder(tensor)) continue;
    return absl::InvalidArgumentError(absl::StrCat((fs::path(bundle.directory) / record.name).string(), ": ",
                                                   tensor.name, ": must be in ", bundle.encoder->name, " alone, since ",
                                                   kManifest, " says shared_encoder"));
  }
  std::copy_if(first.tensors.begin(), first.tensors.end(), std::back_inserter(member.tensors), IsOfEncoder);
  return member;
}

MembersOnDisk FindSoundMembers(const Bundle& bundle) {
  MembersOnDisk members;
  for (size_t i = 0; i < bundle.spec.weights.size(); ++i) {
    const absl::Status status = ReadMember(bundle, i).status();
    if (status.ok()) {
      members.sound.push_back(static_cast<int>(i));
    } else {
      members.damaged.push_back(bundle.spec.weights[i].name);
      if (members.reason.ok()) members.reason = status;
    }
  }
  return members;
}

bool CanGoOnWith(const MembersOnDisk& members, const Bundle& bundle) {
  return bundle.spec.kind == ModelKind::kEnsemble && members.sound.size() >= 2;
}

absl::StatusOr<Bundle> OpenBundle(const std::string& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) return absl::NotFoundError(absl::StrCat(directory, ": no such directory"));
  Bundle bundle;
  bundle.directory = directory;
  ASSIGN_OR_RETURN(BundleName name, NameOfBundle(directory));
  bundle.name = std::move(name.name);
  bundle.version = name.version;
  const std::string manifest = (fs::path(directory) / kManifest).string();
  ASSIGN_OR_RETURN(const std::string json, ReadFile(manifest, kMaxManifestBytes));
  bundle.digest = Sha256Hex(json);
  auto spec = ModelSpecFromJson(json);
  if (!spec.ok()) return InFile(manifest, spec.status());
  bundle.spec = *std::move(spec);
  if (bundle.spec.is_encoder_shared) bundle.encoder = bundle.spec.weights.front();
  return bundle;
}

absl::StatusOr<Bundle> ReadBundle(const std::string& directory) {
  ASSIGN_OR_RETURN(Bundle bundle, OpenBundle(directory));
  for (size_t i = 0; i < bundle.spec.weights.size(); ++i) {
    ASSIGN_OR_RETURN(TensorFile member, ReadMember(bundle, i));
    bundle.members.push_back(std::move(member));
  }
  return bundle;
}

absl::Status WriteBundle(const std::string& directory, ModelSpec spec, const std::vector<TensorFile>& members) {
  const fs::path folder(directory);
  const std::string manifest = (folder / kManifest).string();
  std::error_code error;
  if (fs::exists(fs::symlink_status(manifest, error))) {
    return absl::AlreadyExistsError(absl::StrCat(manifest, ": a bundle is there already"));
  }
  spec.weights.clear();
  for (size_t i = 0; i < members.size(); ++i) {
    spec.weights.push_back({MemberFileName(i, members.size()), 0, std::string(64, '0')});
  }
  if (absl::Status status = ValidateModelSpec(spec); !status.ok()) return InFile(manifest, status);

  std::vector<TensorFile> parts;  // of members beyond the first, where the encoder is shared
  for (size_t i = 1; spec.is_encoder_shared && i < members.size(); ++i) {
    auto part = WithoutEncoder(members[i], members[0], i);
    if (!part.ok()) return InFile(manifest, part.status());
    parts.push_back(*std::move(part));
  }

  RETURN_IF_ERROR(MakeDirectories(directory));
  for (size_t i = 0; i < members.size(); ++i) {
    FileRecord& record = spec.weights[i];
    const std::string path = (folder / record.name).string();
    auto bytes = SerializeSafetensors(i > 0 && spec.is_encoder_shared ? parts[i - 1] : members[i]);
    if (!bytes.ok()) return InFile(path, bytes.status());
    if (static_cast<int64_t>(bytes->size()) > kMaxWeightBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": must have at most ", kMaxWeightBytes, " bytes, has ", bytes->size()));
    }
    record.bytes = static_cast<int64_t>(bytes->size());
    record.sha256 = Sha256Hex(*bytes);
    RETURN_IF_ERROR(WriteFileAtomically(path, *bytes));
  }
  return WriteManifest(manifest, spec);
}

absl::Status UpdateBundleSpec(const std::string& directory, const ModelSpec& spec) {
  ASSIGN_OR_RETURN(const Bundle bundle, OpenBundle(directory));
  const std::string manifest = (fs::path(directory) / kManifest).string();
  if (absl::Status status = ValidateModelSpec(spec); !status.ok()) return InFile(manifest, status);
  const std::vector<FileRecord>& there = bundle.spec.weights;
  for (size_t i = 0; i < std::max(there.size(), spec.weights.size()); ++i) {
    if (i < there.size() && i < spec.weights.size() && IsSameFile(there[i], spec.weights[i])) continue;
    return absl::InvalidArgumentError(absl::StrCat(manifest, ": weights[", i, "]: must be as in the bundle (",
                                                   i < there.size() ? Describe(there[i]) : "none", "), is ",
                                                   i < spec.weights.size() ? Describe(spec.weights[i]) : "none"));
  }
  return WriteManifest(manifest, spec);
}

}  // namespace candor
