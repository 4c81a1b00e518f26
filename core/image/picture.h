// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/image/image.h"

namespace candor {

// An upright RGB picture, 8 bits each, that is read by rows: an Image of its own, or bytes that lie in pieces in
// somebody else's memory, as a message arrives, so that they need not be put together first. Moved from, it is empty.
// Const methods are thread-safe.
class Picture {
 public:
  Picture() = default;  // 0 x 0
  explicit Picture(Image image);
  // Borrows: the `pieces`, one after another, are [height][width][3] without gaps, and outlive the picture.
  Picture(int width, int height, absl::Span<const absl::string_view> pieces);
  static Picture Borrow(const Image& image);
  Picture(Picture&& other) noexcept { *this = std::move(other); }
  Picture& operator=(Picture&& other) noexcept;

  int width() const { return width_; }
  int height() const { return height_; }
  int64_t bytes() const { return int64_t{3} * width_ * height_; }

  // 3 * width bytes, in the picture's memory or, where two pieces share the row, in `scratch`. y in [0, height).
  const uint8_t* Row(int y, std::vector<uint8_t>* scratch) const;

  Image ToImage() const;  // a copy

 private:
  struct Piece {
    int64_t begin;  // its first byte's place in the picture
    const uint8_t* data;
  };

  void CopyBytes(int64_t begin, int64_t count, std::vector<uint8_t>* out) const;
  // Index of the piece that has byte `place`.
  size_t PieceAt(int64_t place) const;
  int64_t EndOf(size_t piece) const { return piece + 1 < pieces_.size() ? pieces_[piece + 1].begin : bytes(); }

  int width_ = 0;
  int height_ = 0;
  std::vector<uint8_t> own_;  // what the one piece shows, if the picture is no borrower
  std::vector<Piece> pieces_;
};

}  // namespace candor
