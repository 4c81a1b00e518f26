// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

// What a caller may do. kAdmin includes kInfer.
enum class Role { kInfer, kAdmin };

absl::string_view RoleName(Role role);  // "infer", "admin"

// The tokens of a token file and their roles. Keeps digests, not tokens. Immutable.
class TokenTable {
 public:
  // One "infer TOKEN" or "admin TOKEN" a line; empty lines and those that begin with # are skipped. A token is 16 to
  // 512 letters, digits or -._~+/= (RFC 6750). InvalidArgument, naming the line and never a token: anything else, a
  // token given twice, no token at all.
  static absl::StatusOr<TokenTable> Parse(absl::string_view text);

  // The role of `token`; none if it is not listed. Takes the same time whichever token it is, or nearly is.
  std::optional<Role> Find(absl::string_view token) const;

 private:
  using Digest = std::array<uint8_t, 32>;  // SHA-256
  struct Entry {
    Digest digest;
    Role role;
  };

  static Digest DigestOf(absl::string_view token);

  std::vector<Entry> entries_;
};

}  // namespace candor
