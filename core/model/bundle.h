// SPDX-License-Identifier: Apache-2.0
//
// A model as a directory: model.json, which lists every weight file with size and SHA-256, and the weight files.
// model.json is written last, so a bundle that has one is whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "core/model/safetensors.h"

namespace candor {

// A bundle's model.json and, after ReadBundle, its weights.
struct Bundle {
  std::string directory;
  std::string name;  // the directory's name, or its parent's where the directory's is an integer (the version)
  int version = 1;
  std::string digest;  // SHA-256 of model.json
  ModelSpec spec;
  // Where the encoder of every member is, if spec.is_encoder_shared: the first member's file, also where spec.weights
  // is without it by now.
  std::optional<FileRecord> encoder;
  std::vector<TensorFile> members;  // whole, in spec.weights order; empty after OpenBundle
};

// What a bundle in this directory is called, whether or not there is one.
struct BundleName {
  std::string name;
  int version = 1;
};
// DataLoss: the working directory is gone.
absl::StatusOr<BundleName> NameOfBundle(const std::string& directory);

// Whether there is a model.json, and so a whole bundle.
bool HoldsBundle(const std::string& directory);

// Reads model.json only. NotFound: no directory, or no model.json in it. InvalidArgument: model.json breaks its format.
absl::StatusOr<Bundle> OpenBundle(const std::string& directory);

// Reads one weight file of `bundle.spec.weights` and verifies it: for those who take one member after the other. A
// member without an encoder of its own gets that of `bundle.encoder`, from whose file it is read and verified too.
// InvalidArgument: it breaks its format. DataLoss: it is missing, or has another size or digest than model.json says.
// Each message names the file.
absl::StatusOr<TensorFile> ReadMember(const Bundle& bundle, size_t index);

// What of an opened bundle's weight files ReadMember can read.
struct MembersOnDisk {
  std::vector<int> sound;            // in spec.weights order
  std::vector<std::string> damaged;  // names of the others' files
  absl::Status reason;               // of the first damaged one; OK: none
};
MembersOnDisk FindSoundMembers(const Bundle& bundle);

// Whether a model may go on with the sound members: it is an ensemble and has two of them.
bool CanGoOnWith(const MembersOnDisk& members, const Bundle& bundle);

// OpenBundle, then every member.
absl::StatusOr<Bundle> ReadBundle(const std::string& directory);

// Writes `members` as member_0.safetensors, ... (model.safetensors for one), fills spec.weights, then writes
// model.json. `members` are whole; of those beyond the first the encoder is left out if spec.is_encoder_shared.
// InvalidArgument: then it must be the first one's, bit for bit. AlreadyExists: the directory has a model.json. Errors
// of WriteFileAtomically. The directory is made if it is missing.
absl::Status WriteBundle(const std::string& directory, ModelSpec spec, const std::vector<TensorFile>& members);

// Rewrites model.json of a bundle that is there, in one step: for what is found out after training, such as the
// calibration. Errors of OpenBundle. InvalidArgument: the spec breaks a rule, or its weights are not the bundle's.
absl::Status UpdateBundleSpec(const std::string& directory, const ModelSpec& spec);

}  // namespace candor
