// SPDX-License-Identifier: Apache-2.0
//
// The interface of libcandor_cuda.so, the only part of candor that nvcc compiles. Plain C++ on both sides; the library
// is loaded at run time with --device=cuda and links nothing of candor or LibTorch, so no state exists twice.
#pragma once

#include <cstddef>

#include "core/model/uncertainty_kind.h"

struct CUstream_st;

namespace candor {

// Most members the kernel keeps per-pixel state for.
inline constexpr int kMaxCudaMembers = 128;

// As KindAccumulator's (core/uncertainty/statistics.h).
inline constexpr int kCudaHistogramBins = 1024;

// Figures of one kind over the pixels of a region.
struct CudaKindFigures {
  double sum;
  float max;
  unsigned above_threshold;                // pixels
  unsigned histogram[kCudaHistogramBins];  // pixels
};

// And of one class, over the pixels that have it for a label.
struct CudaClassFigures {
  double uncertainty_sum;  // of the first kind
  unsigned pixels;
};

// One kind that is asked for.
struct CudaKindJob {
  UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
  float threshold = 0;
  float bins_per_unit = 0;
  float* map = nullptr;              // out: [height][width]; null: not asked for
  unsigned short* halves = nullptr;  // out: the same as IEEE halves; null: not asked for
};

// The fused pass of fused_reduction.h, one thread a pixel. All pointers are device memory.
struct CudaReduceJob {
  int members = 0;     // 1 to kMaxCudaMembers
  int classes = 0;     // 1 to 256
  int low_height = 0;  // scores are [members][classes][low_height][low_width] float32
  int low_width = 0;
  int top = 0;  // the region to compute, within 4 low_height rows and 4 low_width columns
  int left = 0;
  int height = 0;
  int width = 0;
  const float* scores = nullptr;
  // By kind: what a student's uncertainty head says of it, [low_height][low_width], and what its sigmoid is multiplied
  // by; null: from the softmax.
  const float* learned[kAllUncertaintyKinds.size()] = {};
  float learned_max[kAllUncertaintyKinds.size()] = {};
  CudaKindJob kinds[kAllUncertaintyKinds.size()];  // the first kind_count
  int kind_count = 0;
  unsigned char* labels = nullptr;  // out: [height][width]
  // In and out: figures are added to what is there, zeros for a new picture.
  CudaKindFigures* kind_figures = nullptr;    // [kind_count]
  CudaClassFigures* class_figures = nullptr;  // [classes]
};

// What Preprocess (core/nn/preprocess.h) does with one picture. All pointers are device memory.
struct CudaPreprocessJob {
  int height = 0;
  int width = 0;
  int padded_height = 0;
  int padded_width = 0;
  const unsigned char* pixels = nullptr;  // [height][width][3]
  float table[3][256] = {};               // what a channel's values become; padding becomes what zeros do
  float* out = nullptr;                   // [padded_height][padded_width][3]
};

// What the whole device has, whoever uses it.
struct CudaMemory {
  size_t free_bytes = 0;
  size_t total_bytes = 0;
};

// Methods return null, or the CUDA error's text, valid for ever. Those with a `stream` start a kernel on it and return
// at once. Thread-safe.
class CudaPlugin {
 public:
  virtual const char* Reduce(const CudaReduceJob& job, CUstream_st* stream) = 0;
  virtual const char* Preprocess(const CudaPreprocessJob& job, CUstream_st* stream) = 0;
  virtual const char* Memory(CudaMemory* memory) = 0;  // of the current device

 protected:
  ~CudaPlugin() = default;
};

// Changes with every change of this file: a library of another build is refused.
inline constexpr int kCudaPluginVersion = 4;

// What the library exports.
using CudaPluginFactory = CudaPlugin* (*)(int version);  // null: another version
inline constexpr char kCudaPluginFactoryName[] = "candor_cuda_plugin";
inline constexpr char kCudaPluginLibrary[] = "libcandor_cuda.so";

}  // namespace candor
