// SPDX-License-Identifier: Apache-2.0
//
// Walks the wire format with protobuf's own streams.
#include "wire/large_fields.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace candor {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr int kMostTagBytes = 5;         // generated code refuses longer ones
constexpr size_t kMostHeaderBytes = 10;  // two varints of 32 bits
constexpr size_t kPlaceholderBytes = sizeof(uint32_t);

const LargeFieldNode* FindNode(absl::Span<const LargeFieldNode> tree, uint32_t tag) {
  if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) return nullptr;
  const int number = WireFormatLite::GetTagFieldNumber(tag);
  const auto found =
      std::find_if(tree.begin(), tree.end(), [number](const LargeFieldNode& node) { return node.number == number; });
  return found == tree.end() ? nullptr : &*found;
}

// Points at the next `length` bytes.
bool TakePieces(CodedInputStream* in, int length, BytePieces* pieces) {
  while (length > 0) {
    const void* data = nullptr;
    int size = 0;
    if (!in->GetDirectBufferPointer(&data, &size)) return false;
    size = std::min(size, length);
    pieces->emplace_back(static_cast<const char*>(data), static_cast<size_t>(size));
    if (!in->Skip(size)) return false;
    length -= size;
  }
  return true;
}

// A length-delimited field's tag and length.
void AppendHeader(uint32_t tag, size_t length, std::string* rest) {
  uint8_t bytes[kMostHeaderBytes];
  uint8_t* end = CodedOutputStream::WriteTagToArray(tag, bytes);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(length), end);
  rest->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

// Follows a reader of the same message, and copies what that passes over.
class Follower {
 public:
  explicit Follower(grpc::ByteBuffer* message) : reader_(message), in_(&reader_) {}

  // Appends the bytes from its place to place `end` of the message.
  bool CopyTo(int end, std::string* out) {
    BytePieces pieces;
    if (!TakePieces(&in_, end - in_.CurrentPosition(), &pieces)) return false;
    for (const absl::string_view piece : pieces) out->append(piece.data(), piece.size());
    return true;
  }
  bool SkipTo(int end) { return in_.Skip(end - in_.CurrentPosition()); }

 private:
  grpc::ProtoBufferReader reader_;
  CodedInputStream in_;
};

// What lies between large fields is copied as it came, for generated code to judge.
bool Split(CodedInputStream* in, Follower* follower, absl::Span<const LargeFieldNode> tree, std::string* rest,
           std::vector<BytePieces>* fields) {
  for (int begin = in->CurrentPosition(); const uint32_t tag = in->ReadTag(); begin = in->CurrentPosition()) {
    const LargeFieldNode* node = FindNode(tree, tag);
    if (node == nullptr) {
      if (!WireFormatLite::SkipField(in, tag)) return false;
      continue;
    }
    if (in->CurrentPosition() - begin > kMostTagBytes) return false;
    int length = 0;
    if (!in->ReadVarintSizeAsInt(&length)) return false;
    if (length == 0) continue;  // stays: without pieces its placeholder would be taken for its bytes
    if (!follower->CopyTo(begin, rest) || !follower->SkipTo(in->CurrentPosition())) return false;
    std::string contents;
    if (node->inside.empty()) {
      if (fields->size() == kMostLargeFields) return false;
      contents = LargeFieldPlaceholder(fields->size());
      if (!TakePieces(in, length, &fields->emplace_back())) return false;
      if (!follower->SkipTo(in->CurrentPosition())) return false;
    } else {
      const int room = in->BytesUntilLimit();  // -1: no limit
      if (room >= 0 && length > room) return false;
      const CodedInputStream::Limit limit = in->PushLimit(length);
      if (!Split(in, follower, node->inside, &contents, fields) || in->BytesUntilLimit() != 0) return false;
      in->PopLimit(limit);
    }
    AppendHeader(tag, contents.size(), rest);
    rest->append(contents);
  }
  return in->ConsumedEntireMessage() && follower->CopyTo(in->CurrentPosition(), rest);
}

class Joiner {
 public:
  Joiner(absl::Span<const LargeFieldNode> tree, absl::Span<const grpc::Slice> fields) : tree_(tree), fields_(fields) {}

  bool Join(absl::string_view message);
  std::vector<grpc::Slice> Finish() {
    Flush();
    return std::move(slices_);
  }

 private:
  void Flush() {
    if (!pending_.empty()) slices_.push_back(SliceOf(std::exchange(pending_, {})));
  }
  void Append(std::vector<grpc::Slice> slices) {
    Flush();
    slices_.insert(slices_.end(), slices.begin(), slices.end());
  }

  const absl::Span<const LargeFieldNode> tree_;
  const absl::Span<const grpc::Slice> fields_;
  std::string pending_;
  std::vector<grpc::Slice> slices_;
};

// What lies between large fields is copied as one.
bool Joiner::Join(absl::string_view message) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()), static_cast<int>(message.size()));
  const auto position = [&in] { return static_cast<size_t>(in.CurrentPosition()); };
  size_t copied = 0;
  for (size_t begin = 0; const uint32_t tag = in.ReadTag(); begin = position()) {
    const LargeFieldNode* node = FindNode(tree_, tag);
    if (node == nullptr) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      continue;
    }
    int length = 0;
    if (!in.ReadVarintSizeAsInt(&length)) return false;
    const absl::string_view contents = message.substr(position(), static_cast<size_t>(length));
    if (!in.Skip(length)) return false;
    if (contents.empty()) continue;  // stays as it is
    pending_.append(message.data() + copied, begin - copied);
    copied = position();
    std::vector<grpc::Slice> inner;
    if (node->inside.empty()) {
      const size_t index = LargeFieldIndex(contents, fields_.size());
      if (index >= fields_.size()) return false;
      inner.push_back(fields_[index]);
    } else {
      Joiner joiner(node->inside, fields_);
      if (!joiner.Join(contents)) return false;
      inner = joiner.Finish();
    }
    size_t size = 0;
    for (const grpc::Slice& slice : inner) size += slice.size();
    AppendHeader(tag, size, &pending_);
    Append(std::move(inner));
  }
  pending_.append(message.data() + copied, message.size() - copied);
  return in.ConsumedEntireMessage();
}

}  // namespace

std::string LargeFieldPlaceholder(size_t index) {
  const auto narrow = static_cast<uint32_t>(index);
  std::string result(kPlaceholderBytes, '\0');
  std::memcpy(result.data(), &narrow, sizeof(narrow));
  return result;
}

size_t LargeFieldIndex(absl::string_view placeholder, size_t count) {
  if (placeholder.size() != kPlaceholderBytes) return count;
  uint32_t index = 0;
  std::memcpy(&index, placeholder.data(), sizeof(index));
  return index;
}

absl::Span<const absl::string_view> SplitMessage::Find(absl::string_view placeholder) const {
  const size_t index = LargeFieldIndex(placeholder, fields.size());
  if (index >= fields.size()) return {};
  return fields[index];
}

bool SplitLargeFields(grpc::ByteBuffer* message, absl::Span<const LargeFieldNode> tree, SplitMessage* split) {
  grpc::ProtoBufferReader reader(message);
  if (!reader.status().ok()) return false;
  CodedInputStream in(&reader);
  Follower follower(message);
  return Split(&in, &follower, tree, &split->rest, &split->fields);
}

grpc::ByteBuffer JoinLargeFields(absl::string_view rest, absl::Span<const LargeFieldNode> tree,
                                 absl::Span<const grpc::Slice> fields) {
  Joiner joiner(tree, fields);
  if (!joiner.Join(rest)) return {};
  const std::vector<grpc::Slice> slices = joiner.Finish();
  return grpc::ByteBuffer(slices.data(), slices.size());
}

int64_t SizeOf(absl::Span<const absl::string_view> pieces) {
  int64_t size = 0;
  for (const absl::string_view piece : pieces) size += static_cast<int64_t>(piece.size());
  return size;
}

std::string Concatenate(absl::Span<const absl::string_view> pieces) {
  std::string result;
  result.reserve(static_cast<size_t>(SizeOf(pieces)));
  for (const absl::string_view piece : pieces) result.append(piece.data(), piece.size());
  return result;
}

}  // namespace candor
