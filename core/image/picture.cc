// SPDX-License-Identifier: Apache-2.0
#include "core/image/picture.h"

#include <algorithm>
#include <utility>

namespace candor {

Picture::Picture(Image image)
    : width_(image.width), height_(image.height), own_(std::move(image.pixels)), pieces_({{0, own_.data()}}) {}

Picture::Picture(int width, int height, absl::Span<const absl::string_view> pieces) : width_(width), height_(height) {
  pieces_.reserve(pieces.size());
  int64_t begin = 0;
  for (const absl::string_view piece : pieces) {
    if (piece.empty()) continue;
    pieces_.push_back({begin, reinterpret_cast<const uint8_t*>(piece.data())});
    begin += static_cast<int64_t>(piece.size());
  }
}

Picture Picture::Borrow(const Image& image) {
  const absl::string_view pixels(reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size());
  return Picture(image.width, image.height, {pixels});
}

Picture& Picture::operator=(Picture&& other) noexcept {
  width_ = std::exchange(other.width_, 0);
  height_ = std::exchange(other.height_, 0);
  own_ = std::move(other.own_);  // its bytes stay where `pieces_` says they are
  pieces_ = std::move(other.pieces_);
  return *this;
}

size_t Picture::PieceAt(int64_t place) const {
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), place,
                                      [](int64_t value, const Piece& piece) { return value < piece.begin; });
  return static_cast<size_t>(after - pieces_.begin()) - 1;
}

void Picture::CopyBytes(int64_t begin, int64_t count, std::vector<uint8_t>* out) const {
  for (size_t i = PieceAt(begin); count > 0; ++i) {
    const int64_t here = std::min(count, EndOf(i) - begin);
    const uint8_t* first = pieces_[i].data + (begin - pieces_[i].begin);
    out->insert(out->end(), first, first + here);
    begin += here;
    count -= here;
  }
}

const uint8_t* Picture::Row(int y, std::vector<uint8_t>* scratch) const {
  const int64_t row_bytes = int64_t{3} * width_;
  const int64_t begin = y * row_bytes;
  const size_t piece = PieceAt(begin);
  if (begin + row_bytes <= EndOf(piece)) return pieces_[piece].data + (begin - pieces_[piece].begin);
  scratch->clear();
  CopyBytes(begin, row_bytes, scratch);
  return scratch->data();
}

Image Picture::ToImage() const {
  Image image{width_, height_, {}};
  image.pixels.reserve(static_cast<size_t>(bytes()));
  CopyBytes(0, bytes(), &image.pixels);
  return image;
}

}  // namespace candor
