# syntax=docker/dockerfile:1
# SPDX-License-Identifier: Apache-2.0
#
# The server, the command line and the trainer, with the sample models:
#
#   docker build --tag candor:0.1.0 .                        for the CPU
#   docker build --tag candor:0.1.0-cuda --target cuda .     for NVIDIA GPUs too; large
#
# For a release name the base by its digest: --build-arg DEBIAN=debian:bookworm-slim@sha256:...

ARG DEBIAN=debian:bookworm-slim

FROM ${DEBIAN} AS build
WORKDIR /src
COPY tools/setup.sh tools/torch-requirements.txt tools/cuda-requirements.txt tools/nvcc-requirements.txt tools/
RUN tools/setup.sh
COPY . .
RUN cmake --preset release \
  && cmake --build build --target candor candor-server candor-train \
  && cmake --install build --component server --prefix /opt/candor

FROM build AS build-cuda
RUN tools/setup.sh --cuda --nvcc
RUN cmake --preset release -D CMAKE_CUDA_COMPILER=/src/.deps/nvidia/cu13/bin/nvcc \
  && cmake --build build --target candor_cuda candor_graphs \
  && cmake --install build --component server_cuda --prefix /opt/candor

# What both images share. The list is what the programs link directly; tests/deploy/install_tree_test.py holds it to that.
FROM ${DEBIAN} AS runtime
ARG REVISION=unknown
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    libabsl20220623 \
    libgrpc++1.51 \
    libgrpc29 \
    libhwy1 \
    libjpeg62-turbo \
    libopencv-core406 \
    libopencv-imgproc406 \
    libpng16-16 \
    libprometheus-cpp-core1.0 \
    libprometheus-cpp-pull1.0 \
    libprotobuf32 \
    libspdlog1.10 \
    libsystemd0 \
    libssl3 \
  && rm -rf /var/lib/apt/lists/*
LABEL org.opencontainers.image.title="candor" \
  org.opencontainers.image.description="Semantic segmentation that says how sure it is" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-NC-4.0" \
  org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
ENV PATH=/opt/candor/bin:/usr/bin:/bin
USER 65532:65532
EXPOSE 8500 8502
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["candor", "health"]
ENTRYPOINT ["candor-server"]
CMD ["--bundle", "/opt/candor/share/candor/models/camvid-student", "--bundle", "/opt/candor/share/candor/models/camvid-teacher", "--listen", "0.0.0.0:8500", "--metrics-listen", "0.0.0.0:8502"]

# The trees with their bill of materials: Debian's packages as the runtime has them, and the wheels that LibTorch is from.
FROM build AS tree
COPY --from=runtime /var/lib/dpkg/status /sbom/status
RUN tools/sbom.py --dpkg-status /sbom/status --requirements tools/torch-requirements.txt \
    --out /opt/candor/share/doc/candor/sbom.spdx.json

FROM build-cuda AS tree-cuda
COPY --from=runtime /var/lib/dpkg/status /sbom/status
RUN tools/sbom.py --dpkg-status /sbom/status --requirements tools/torch-requirements.txt tools/cuda-requirements.txt \
    --out /opt/candor/share/doc/candor/sbom.spdx.json

FROM runtime AS cuda
# The container toolkit brings the driver's libraries.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=tree-cuda /opt/candor /opt/candor

FROM runtime AS cpu
COPY --from=tree /opt/candor /opt/candor
