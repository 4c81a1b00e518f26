// SPDX-License-Identifier: Apache-2.0
//
// How a client shows who it is, and sees whom it talks to.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/segmentation_client.h"
#include "core/base/watched_files.h"

namespace candor {

// The one token in a file, read again when it changes; a file that cannot be used leaves the token before. Thread-safe.
class TokenFile {
 public:
  // InvalidArgument or NotFound, never with anything of the token: not readable, or not one word of printable ASCII.
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(const std::string& path);

  std::string Current() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit TokenFile(const std::string& path) : path_(path), watched_({path}) {}

  const std::string path_;
  absl::Mutex mu_;
  WatchedFiles watched_ ABSL_GUARDED_BY(mu_);
  std::string token_ ABSL_GUARDED_BY(mu_);
};

// Opens channels as ClientOptions have it: plain text or TLS, with or without a token on every call.
class ClientSecurity {
 public:
  // Reads the files. InvalidArgument or NotFound, naming the option: a file is missing or wrong, key and certificate do
  // not belong together, a token would travel in plain text to another machine.
  static absl::StatusOr<ClientSecurity> Read(const ClientOptions& options);

  std::shared_ptr<grpc::Channel> OpenChannel(const std::string& target, grpc::ChannelArguments arguments) const;

 private:
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::string server_name_;           // empty: the target's host
  std::shared_ptr<TokenFile> token_;  // null: none; shared with the channels, which outlive this object
};

}  // namespace candor
