// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/graph_members.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <utility>

#include "core/base/log.h"

namespace candor {

int MembersSideBySide(int64_t pictures, int64_t height, int64_t width, int members) {
  constexpr int64_t kMultiprocessors = 132;
  constexpr int64_t kTile = 128;
  constexpr int64_t kOutputTiles = 512 / kTile;
  const int64_t positions = pictures * (height / 16) * (width / 16);
  const int64_t tiles = kOutputTiles * ((positions + kTile - 1) / kTile);
  return static_cast<int>(std::clamp<int64_t>((kMultiprocessors + tiles - 1) / tiles, 1, members));
}

GraphMembers::GraphMembers(std::unique_ptr<MemberSource> source, bool shares_work,
                           std::unique_ptr<GraphCapturer> capturer)
    : source_(std::move(source)), shares_work_(shares_work), capturer_(std::move(capturer)) {}

Scores GraphMembers::Run(int index, const torch::Tensor& images) {
  Shape& shape = index == 0 ? ShapeOf(images) : shapes_.front();
  if (shape.graphs.empty()) return source_->Run(index, images);
  if (index == 0) shape.input.copy_(images);
  if (index == 0 || shape.graphs.size() > 1) shape.graphs[static_cast<size_t>(index)]->Replay();
  return shape.scores[static_cast<size_t>(index)];
}

int GraphMembers::ComputedAfter(int index) const { return shapes_.front().graphs.size() == 1 ? members() : index + 1; }

GraphMembers::Shape& GraphMembers::ShapeOf(const torch::Tensor& images) {
  const auto known = std::find_if(shapes_.begin(), shapes_.end(),
                                  [&](const Shape& shape) { return shape.input.sizes() == images.sizes(); });
  if (known != shapes_.end()) {
    shapes_.splice(shapes_.begin(), shapes_, known);
    return shapes_.front();
  }
  if (shapes_.size() == kMostShapes) shapes_.pop_back();
  shapes_.emplace_front().input = torch::empty_like(images);
  Shape& shape = shapes_.front();
  try {
    Record(&shape);
  } catch (const std::exception& error) {
    // A GPU that has failed for good says so again to the plain run.
    const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
    LogWarning("pictures of this size are computed without a CUDA graph",
               {{"height", images.size(2)},
                {"width", images.size(3)},
                {"error", torch_error != nullptr ? torch_error->what_without_backtrace() : error.what()}});
    shape.graphs.clear();
    shape.scores.clear();
    if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) {
      shapes_.erase(std::next(shapes_.begin()), shapes_.end());
    }
  }
  return shape;
}

void GraphMembers::Record(Shape* shape) {
  shape->scores.resize(static_cast<size_t>(members()));
  const int streams =
      shares_work_ ? 1 : MembersSideBySide(shape->input.size(0), shape->input.size(2), shape->input.size(3), members());
  if (!shares_work_ && streams == 1) {
    for (int m = 0; m < members(); ++m) {
      shape->graphs.push_back(capturer_->Capture({MembersFrom(m, /*step=*/members(), shape)}));
    }
    return;
  }
  std::vector<GraphCapturer::Body> bodies;
  for (int first = 0; first < streams; ++first) bodies.push_back(MembersFrom(first, /*step=*/streams, shape));
  shape->graphs.push_back(capturer_->Capture(bodies));
}

// Member `first` and every one that is `step` further.
GraphCapturer::Body GraphMembers::MembersFrom(int first, int step, Shape* shape) {
  return [this, first, step, shape] {
    for (int m = first; m < members(); m += step) {
      shape->scores[static_cast<size_t>(m)] = source_->Run(m, shape->input);
    }
  };
}

}  // namespace candor
