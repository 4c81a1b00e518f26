// SPDX-License-Identifier: Apache-2.0
//
// JPEG files one after the other, as from a pipe: however the bytes are cut, the same files come out. The first byte is
// the size of the pieces.
#include <string>
#include <vector>

#include "client/cli/jpeg_splitter.h"
#include "fuzz/target.h"

namespace candor {
namespace {

constexpr size_t kMostBytes = 1 << 20;

struct Files {
  std::vector<std::string> whole;
  bool is_refused = false;
  bool has_rest = false;
};

Files Split(absl::string_view bytes, size_t piece) {
  Files files;
  JpegSplitter splitter;
  while (!bytes.empty()) {
    splitter.Append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      auto file = splitter.Next(kMostBytes);
      if (!file.ok()) {
        Demand(absl::IsDataLoss(file.status()), "what is no JPEG is DATA_LOSS");
        files.is_refused = true;
        return files;
      }
      if (!file->has_value()) break;
      files.whole.push_back(**std::move(file));
    }
  }
  files.has_rest = splitter.has_rest();
  return files;
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view bytes = candor::AsText(data + 1, size - 1);
  const candor::Files at_once = candor::Split(bytes, std::max<size_t>(bytes.size(), 1));
  const candor::Files in_pieces = candor::Split(bytes, data[0] % 64 + 1);
  candor::Demand(at_once.whole == in_pieces.whole && at_once.is_refused == in_pieces.is_refused &&
                     at_once.has_rest == in_pieces.has_rest,
                 "pieces make no difference");
  std::string joined;
  for (const std::string& file : at_once.whole) {
    candor::Demand(file.size() >= 4 && file.substr(0, 2) == "\xff\xd8" && file.substr(file.size() - 2) == "\xff\xd9",
                   "a file has its start and its end");
    joined += file;
  }
  candor::Demand(joined == bytes.substr(0, joined.size()), "no byte is lost or changed");
  candor::Demand(at_once.is_refused || at_once.has_rest == (joined.size() < bytes.size()), "the rest is known");
  return 0;
}
