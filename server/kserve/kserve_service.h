// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/log.h"
#include "inference/grpc_service.grpc.pb.h"
#include "server/call_gate.h"
#include "server/kserve/infer_run.h"
#include "server/kserve/shared_regions.h"

namespace candor {

struct KServeSettings {
  static constexpr int kMostPictures = 64;

  int max_pictures = 1;  // of one request
  int64_t max_message_bytes = 0;
  bool has_shared_memory = false;
  LogLevel log_level = LogLevel::kInfo;
};

// inference.GRPCInferenceService, the Open Inference Protocol with Triton's extensions, over gRPC's callback interface.
// Pictures run as they do for candor.v1.Segmentation. Thread-safe.
class KServeService final : public inference::GRPCInferenceService::CallbackService {
 public:
  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;

  // `serving` and `gate` are borrowed.
  KServeService(const ServingContext& serving, CallGate* gate, const KServeSettings& settings)
      : serving_(serving), gate_(gate), settings_(settings) {}

  // ServerReady and ModelReady say no from now on.
  void SayNotReady() { is_ready_ = false; }

  Unary* ServerLive(Context* context, const inference::ServerLiveRequest* request,
                    inference::ServerLiveResponse* response) override;
  Unary* ServerReady(Context* context, const inference::ServerReadyRequest* request,
                     inference::ServerReadyResponse* response) override;
  Unary* ModelReady(Context* context, const inference::ModelReadyRequest* request,
                    inference::ModelReadyResponse* response) override;
  Unary* ServerMetadata(Context* context, const inference::ServerMetadataRequest* request,
                        inference::ServerMetadataResponse* response) override;
  Unary* ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                       inference::ModelMetadataResponse* response) override;
  Unary* ModelInfer(Context* context, const inference::ModelInferRequest* request,
                    inference::ModelInferResponse* response) override;
  grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>* ModelStreamInfer(
      Context* context) override;
  Unary* ModelConfig(Context* context, const inference::ModelConfigRequest* request,
                     inference::ModelConfigResponse* response) override;
  Unary* ModelStatistics(Context* context, const inference::ModelStatisticsRequest* request,
                         inference::ModelStatisticsResponse* response) override;
  Unary* RepositoryIndex(Context* context, const inference::RepositoryIndexRequest* request,
                         inference::RepositoryIndexResponse* response) override;
  Unary* RepositoryModelLoad(Context* context, const inference::RepositoryModelLoadRequest* request,
                             inference::RepositoryModelLoadResponse* response) override;
  Unary* RepositoryModelUnload(Context* context, const inference::RepositoryModelUnloadRequest* request,
                               inference::RepositoryModelUnloadResponse* response) override;
  Unary* SystemSharedMemoryStatus(Context* context, const inference::SystemSharedMemoryStatusRequest* request,
                                  inference::SystemSharedMemoryStatusResponse* response) override;
  Unary* SystemSharedMemoryRegister(Context* context, const inference::SystemSharedMemoryRegisterRequest* request,
                                    inference::SystemSharedMemoryRegisterResponse* response) override;
  Unary* SystemSharedMemoryUnregister(Context* context, const inference::SystemSharedMemoryUnregisterRequest* request,
                                      inference::SystemSharedMemoryUnregisterResponse* response) override;
  Unary* CudaSharedMemoryStatus(Context* context, const inference::CudaSharedMemoryStatusRequest* request,
                                inference::CudaSharedMemoryStatusResponse* response) override;
  Unary* CudaSharedMemoryRegister(Context* context, const inference::CudaSharedMemoryRegisterRequest* request,
                                  inference::CudaSharedMemoryRegisterResponse* response) override;
  Unary* CudaSharedMemoryUnregister(Context* context, const inference::CudaSharedMemoryUnregisterRequest* request,
                                    inference::CudaSharedMemoryUnregisterResponse* response) override;
  Unary* TraceSetting(Context* context, const inference::TraceSettingRequest* request,
                      inference::TraceSettingResponse* response) override;
  Unary* LogSettings(Context* context, const inference::LogSettingsRequest* request,
                     inference::LogSettingsResponse* response) override;

 private:
  // Null: this caller has none.
  SharedRegions* RegionsFor(const Context& context);
  InferContext InferContextFor(const Context& context);
  bool is_ready() const { return is_ready_ && serving_.admission.CheckOpen().ok(); }

  const ServingContext& serving_;
  CallGate* const gate_;
  const KServeSettings settings_;
  SharedRegions regions_;
  std::atomic<bool> is_ready_{true};
  std::atomic<int> open_streams_{0};
};

}  // namespace candor
