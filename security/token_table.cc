// SPDX-License-Identifier: Apache-2.0
//
// Reading tokens, and comparing them without telling by time how much of one was right.
#include "security/token_table.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace candor {
namespace {

constexpr size_t kMinTokenLength = 16;
constexpr size_t kMaxTokenLength = 512;

bool IsToken(absl::string_view text) {
  const auto is_allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view("-._~+/=").find(c) != absl::string_view::npos;
  };
  return text.size() >= kMinTokenLength && text.size() <= kMaxTokenLength &&
         std::all_of(text.begin(), text.end(), is_allowed);
}

}  // namespace

absl::string_view RoleName(Role role) { return role == Role::kAdmin ? "admin" : "infer"; }

TokenTable::Digest TokenTable::DigestOf(absl::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const uint8_t*>(token.data()), token.size(), digest.data());
  return digest;
}

absl::StatusOr<TokenTable> TokenTable::Parse(absl::string_view text) {
  TokenTable table;
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#') continue;
    const auto refuse = [number](absl::string_view rule) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", rule));
    };
    const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() != 2 || (words[0] != "infer" && words[0] != "admin")) {
      return refuse("must be \"infer TOKEN\" or \"admin TOKEN\"");
    }
    if (!IsToken(words[1])) return refuse("the token must be 16 to 512 letters, digits or -._~+/=");
    if (table.Find(words[1]).has_value()) return refuse("the token is listed twice");
    table.entries_.push_back({DigestOf(words[1]), words[0] == "admin" ? Role::kAdmin : Role::kInfer});
  }
  if (table.entries_.empty()) return absl::InvalidArgumentError("has no token: every call would be refused");
  return table;
}

std::optional<Role> TokenTable::Find(absl::string_view token) const {
  const Digest digest = DigestOf(token);
  std::optional<Role> found;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) found = entry.role;
  }
  return found;
}

}  // namespace candor
