// SPDX-License-Identifier: Apache-2.0
//
// The interface of libcandor_cuda.so, the only part of candor that nvcc compiles. Plain C++ on both sides; the library
// is loaded at run time with --device=cuda and links nothing of candor or LibTorch, so no state exists twice.
#pragma once

#include "core/model/uncertainty_kind.h"

struct CUstream_st;

namespace candor {

// Most members the kernel keeps per-pixel state for.
inline constexpr int kMaxCudaMembers = 128;

// The fused pass of fused_reduction.h, one thread a pixel. All pointers are device memory.
struct CudaReduceJob {
  int members = 0;  // 1 to kMaxCudaMembers
  int classes = 0;
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
  unsigned char* labels = nullptr;                // out: [height][width]
  float* maps[kAllUncertaintyKinds.size()] = {};  // out: [height][width] by kind; null: not asked for
};

class CudaPlugin {
 public:
  // Starts the kernel on `stream` and returns at once. Null, or the CUDA error's text, valid for ever. Thread-safe.
  virtual const char* Reduce(const CudaReduceJob& job, CUstream_st* stream) = 0;

 protected:
  ~CudaPlugin() = default;
};

// Changes with every change of this file: a library of another build is refused.
inline constexpr int kCudaPluginVersion = 3;

// What the library exports.
using CudaPluginFactory = CudaPlugin* (*)(int version);  // null: another version
inline constexpr char kCudaPluginFactoryName[] = "candor_cuda_plugin";
inline constexpr char kCudaPluginLibrary[] = "libcandor_cuda.so";

}  // namespace candor
