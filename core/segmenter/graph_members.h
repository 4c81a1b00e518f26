// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <list>
#include <memory>
#include <vector>

#include "core/engine/cuda/graph_capturer.h"
#include "core/uncertainty/member_source.h"

namespace candor {

// How many members of an ensemble fill a GPU side by side, for a batch of padded pictures: one where a picture's
// largest layer, the last stage's products of 512 outputs in tiles of 128 x 128, keeps all of an H200's 132
// multiprocessors busy, at most `members`. Another device is a little off its best.
int MembersSideBySide(int64_t pictures, int64_t height, int64_t width, int members);

// The members of another source as CUDA graphs, recorded when a shape is first seen. Of large pictures each member is a
// graph of its own, so that there is a moment between two at which a request can be given up; of small ones, and where
// members share work, one graph is all of them, and runs with member 0. A shape that cannot be recorded, for lack of
// memory or otherwise, runs as the source does. Thread-compatible; may throw c10::Error.
class GraphMembers : public MemberSource {
 public:
  static constexpr size_t kMostShapes = 8;

  // `source` computes on a GPU, with nothing that its host waits for, and gives for one batch always the same scores.
  // `shares_work`: its members run together or not at all.
  GraphMembers(std::unique_ptr<MemberSource> source, bool shares_work, std::unique_ptr<GraphCapturer> capturer);

  int members() const override { return source_->members(); }
  // The scores are valid until the next call.
  Scores Run(int index, const torch::Tensor& images) override;
  int ComputedAfter(int index) const override;

 private:
  struct Shape {
    torch::Tensor input;                                 // [N, 3, H, W], what the graphs read
    std::vector<Scores> scores;                          // by member, what they write
    std::vector<std::unique_ptr<CapturedGraph>> graphs;  // one a member, or one; none: it cannot be recorded
  };

  Shape& ShapeOf(const torch::Tensor& images);
  void Record(Shape* shape);
  GraphCapturer::Body MembersFrom(int first, int step, Shape* shape);

  const std::unique_ptr<MemberSource> source_;
  const bool shares_work_;
  const std::unique_ptr<GraphCapturer> capturer_;
  std::list<Shape> shapes_;  // the last used first; addresses stay, graphs' bodies have them
};

}  // namespace candor
