// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>
#include <torch/torch.h>

#include <optional>

namespace candor {

// The moment at which a stream has done all that was queued on it before. Throws c10::Error.
class StreamMoment {
 public:
  explicit StreamMoment(const std::optional<c10::Stream>& stream);

  // On any thread.
  void Wait() const;
  // What is queued on `stream` from now on begins after this moment.
  void Delay(const c10::Stream& stream) const;

 private:
  std::optional<c10::Event> event_;  // none: it was at once
};

// A stream of the GPU beside Torch's current one, for copies that run while that one computes. On the CPU, where all
// that is queued happens at once, nothing ever waits. Thread-compatible. Throws c10::Error.
class SideStream {
 public:
  explicit SideStream(torch::Device device);

  torch::Device device() const { return device_; }

  // Makes this stream the calling thread's current one until what it returns goes.
  c10::OptionalStreamGuard Use() const { return c10::OptionalStreamGuard(stream_); }

  // What is queued here from now on begins when all that is on the current stream has ended.
  void FollowCurrent() const;
  // The inverse.
  void LetCurrentFollow() const;
  // The current stream reads the tensor, which was made on this one: its memory is kept until then.
  void KeepForCurrent(const torch::Tensor& tensor) const;

  StreamMoment Now() const { return StreamMoment(stream_); }
  // The same of the current stream.
  StreamMoment CurrentMoment() const;

 private:
  std::optional<c10::Stream> CurrentStream() const;

  const torch::Device device_;
  std::optional<c10::Stream> stream_;  // none: the CPU
};

}  // namespace candor
