// SPDX-License-Identifier: Apache-2.0
//
// By Torch's interface of any device, so that nothing of CUDA has to be linked.
#include "core/segmenter/side_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace candor {

StreamMoment::StreamMoment(const std::optional<c10::Stream>& stream) {
  if (stream.has_value()) event_.emplace(stream->device_type()).record(*stream);
}

void StreamMoment::Wait() const {
  if (event_.has_value()) event_->synchronize();
}

void StreamMoment::Delay(const c10::Stream& stream) const {
  if (event_.has_value()) event_->block(stream);
}

SideStream::SideStream(torch::Device device) : device_(device) {
  // From the pool of high priority: recording a graph takes streams from the other one, and both hand the same ones out
  // again and again. A copy on a stream that is being recorded would become part of the graph.
  if (device.is_cuda()) {
    stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device, /*isHighPriority=*/true);
  }
}

void SideStream::FollowCurrent() const {
  if (stream_.has_value()) CurrentMoment().Delay(*stream_);
}

void SideStream::LetCurrentFollow() const {
  if (stream_.has_value()) Now().Delay(*CurrentStream());
}

void SideStream::KeepForCurrent(const torch::Tensor& tensor) const {
  if (!stream_.has_value()) return;
  c10::impl::VirtualGuardImpl(device_.type()).recordDataPtrOnStream(tensor.storage().data_ptr(), *CurrentStream());
}

StreamMoment SideStream::CurrentMoment() const { return StreamMoment(CurrentStream()); }

std::optional<c10::Stream> SideStream::CurrentStream() const {
  if (!stream_.has_value()) return std::nullopt;
  return c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
}

}  // namespace candor
