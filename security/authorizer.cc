// SPDX-License-Identifier: Apache-2.0
//
// Tokens and peers against roles.
#include "security/authorizer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace candor {

bool IsLoopbackPeer(absl::string_view peer) {
  for (const absl::string_view prefix : {"ipv4:127.", "ipv6:[::1]:", "ipv6:%5B::1%5D:", "unix:"}) {
    if (absl::StartsWith(peer, prefix)) return true;
  }
  return false;
}

absl::StatusOr<std::shared_ptr<const TokenTable>> Authorizer::ReadTokens() const {
  constexpr int64_t kMaxFileBytes = 1 << 20;
  absl::StatusOr<std::string> text = ReadFile(token_file_, kMaxFileBytes);
  if (!text.ok()) {
    return absl::Status(text.status().code(), absl::StrCat("token_file: ", text.status().message()));
  }
  absl::StatusOr<TokenTable> table = TokenTable::Parse(*text);
  if (!table.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("token_file: ", token_file_, ": ", table.status().message()));
  }
  return std::make_shared<const TokenTable>(*std::move(table));
}

absl::StatusOr<std::unique_ptr<Authorizer>> Authorizer::Create(const std::string& token_file) {
  std::unique_ptr<Authorizer> authorizer(new Authorizer(token_file));
  if (token_file.empty()) return authorizer;
  absl::MutexLock lock(&authorizer->mu_);
  authorizer->watched_.Changed();
  ASSIGN_OR_RETURN(authorizer->tokens_, authorizer->ReadTokens());
  return authorizer;
}

std::shared_ptr<const TokenTable> Authorizer::CurrentTokens() {
  absl::MutexLock lock(&mu_);
  if (!watched_.Changed()) return tokens_;
  absl::StatusOr<std::shared_ptr<const TokenTable>> tokens = ReadTokens();
  const std::string refusal(tokens.status().message());
  if (tokens.ok()) {
    tokens_ = *std::move(tokens);
  } else if (refusal != refusal_) {
    LogWarning("new token file refused, the old tokens stay valid", {{"error", refusal}});
  }
  refusal_ = refusal;
  return tokens_;
}

absl::Status Authorizer::Check(std::optional<absl::string_view> authorization, absl::string_view peer, Role needed) {
  if (!has_tokens()) {
    if (needed == Role::kInfer || IsLoopbackPeer(peer)) return absl::OkStatus();
    return absl::PermissionDeniedError("without a token_file, admin calls are for callers on the server's machine");
  }
  constexpr absl::string_view kScheme = "Bearer ";
  if (!authorization.has_value() || !absl::StartsWithIgnoreCase(*authorization, kScheme)) {
    return absl::UnauthenticatedError("authorization: must be \"Bearer TOKEN\"");
  }
  const std::optional<Role> role = CurrentTokens()->Find(authorization->substr(kScheme.size()));
  if (!role.has_value()) return absl::UnauthenticatedError("authorization: unknown token");
  if (needed == Role::kAdmin && *role != Role::kAdmin) {
    return absl::PermissionDeniedError(
        absl::StrCat("authorization: the token's role is ", RoleName(*role), ", this call needs ", RoleName(needed)));
  }
  return absl::OkStatus();
}

absl::Status Authorizer::Check(const grpc::ServerContextBase& context, Role needed) {
  const auto& metadata = context.client_metadata();
  const auto [begin, end] = metadata.equal_range("authorization");
  std::optional<absl::string_view> authorization;
  // Two of them may be a proxy's and a client's: neither is picked.
  if (begin != end && std::next(begin) == end) authorization.emplace(begin->second.data(), begin->second.size());
  return Check(authorization, context.peer(), needed);
}

}  // namespace candor
