// SPDX-License-Identifier: Apache-2.0
//
// Protobuf messages over gRPC whose large bytes fields are neither parsed nor serialized, only pointed at: generated
// code copies a picture three times on its way, which costs more than sending it.
//
// A message travels as always. Here it is two things: `rest`, the serialized message with a placeholder in each large
// field, for generated code to parse or write; and the contents of those fields, which the placeholders number. All
// functions are pure and thread-safe.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace candor {

// A field on the way to large ones, or one itself: a `bytes` field without any inside.
struct LargeFieldNode {
  int number = 0;
  absl::Span<const LargeFieldNode> inside = {};
};

// A large field's bytes in pieces, one after another, as they came from the network.
using BytePieces = std::vector<absl::string_view>;

// What a large field holds in `rest`: which of the fields it is.
std::string LargeFieldPlaceholder(size_t index);
// The inverse; `count`, the number of fields, or more: it is no placeholder of theirs.
size_t LargeFieldIndex(absl::string_view placeholder, size_t count);

struct SplitMessage {
  std::string rest;
  std::vector<BytePieces> fields;  // borrow from the buffer

  // The bytes whose placeholder a field of the parsed `rest` holds; none for an empty field.
  absl::Span<const absl::string_view> Find(absl::string_view placeholder) const;
};

// No message of ours has more, and each costs some memory.
inline constexpr size_t kMostLargeFields = 1024;

// Takes the large fields out of a serialized message. False: it is damaged, or has more than kMostLargeFields.
bool SplitLargeFields(grpc::ByteBuffer* message, absl::Span<const LargeFieldNode> tree, SplitMessage* split);

// The inverse: the message with `fields` where `rest` has their placeholders; a large field may be empty, too. Empty if
// `rest` is not such a message.
grpc::ByteBuffer JoinLargeFields(absl::string_view rest, absl::Span<const LargeFieldNode> tree,
                                 absl::Span<const grpc::Slice> fields);

// A slice that owns the container's elements, without a copy.
template <typename Container>
grpc::Slice SliceOf(Container contents) {
  auto* owner = new Container(std::move(contents));
  return grpc::Slice(
      owner->data(), owner->size() * sizeof(typename Container::value_type),
      [](void* owned) { delete static_cast<Container*>(owned); }, owner);
}

int64_t SizeOf(absl::Span<const absl::string_view> pieces);
// One string of all pieces.
std::string Concatenate(absl::Span<const absl::string_view> pieces);

}  // namespace candor
