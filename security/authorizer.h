// SPDX-License-Identifier: Apache-2.0
//
// Who may call what: bearer tokens from a file, checked at the start of each call of each service.
#pragma once

#include <grpcpp/server_context.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/base/watched_files.h"
#include "security/token_table.h"

namespace candor {

// Decides by the call's metadata `authorization: Bearer TOKEN` and, where there is no token file, by its peer: anyone
// may infer, callers on this machine may administrate. The file is read again when it has changed; one that is refused
// is logged, and the tokens before stay valid. Thread-safe; Check costs a few microseconds and never waits.
//
// gRPC's AuthMetadataProcessor serves TLS ports only, knows no roles, and has a thread of its own to wait for.
class Authorizer {
 public:
  // `token_file` may be empty: no tokens. InvalidArgument or NotFound: it cannot be read, or TokenTable refuses it.
  static absl::StatusOr<std::unique_ptr<Authorizer>> Create(const std::string& token_file);

  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  // Whether there is a token file: else callers are told apart by their machine alone.
  bool has_tokens() const { return !token_file_.empty(); }

  // OK if the caller has the role `needed`. Unauthenticated: no token, or an unknown one. PermissionDenied: the token
  // is of a lesser role or, without a token file, an admin call came from another machine.
  absl::Status Check(const grpc::ServerContextBase& context, Role needed) ABSL_LOCKS_EXCLUDED(mu_);

  // The same by the value of the metadata `authorization` and by gRPC's name of the peer ("ipv4:127.0.0.1:4711").
  absl::Status Check(std::optional<absl::string_view> authorization, absl::string_view peer, Role needed)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit Authorizer(const std::string& token_file) : token_file_(token_file), watched_({token_file}) {}

  absl::StatusOr<std::shared_ptr<const TokenTable>> ReadTokens() const;
  std::shared_ptr<const TokenTable> CurrentTokens() ABSL_LOCKS_EXCLUDED(mu_);

  const std::string token_file_;
  absl::Mutex mu_;
  WatchedFiles watched_ ABSL_GUARDED_BY(mu_);
  // Shared, so that a check goes on with the table it has while a new one is taken into use.
  std::shared_ptr<const TokenTable> tokens_ ABSL_GUARDED_BY(mu_);
  std::string refusal_ ABSL_GUARDED_BY(mu_);  // why the file as it is now is not in use; empty if it is
};

// Whether gRPC's name of a peer is of this machine.
bool IsLoopbackPeer(absl::string_view peer);

}  // namespace candor
