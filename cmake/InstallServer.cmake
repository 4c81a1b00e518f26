# SPDX-License-Identifier: Apache-2.0
# The programs as a tree that may lie anywhere: `cmake --install BUILD --component server --prefix P` installs them with the part
# of LibTorch that they load and the sample models; the other libraries are Debian's (Dockerfile names the packages).
# `--component server_cuda` adds what a GPU needs, after tools/setup.sh --cuda. The wheels' own layout is kept, since their run
# paths name each other by it.

set(private_libraries lib/candor)

set(programs candor candor-server candor-train candor-training-server)
set_target_properties(${programs} PROPERTIES
  INSTALL_RPATH "\$ORIGIN/../${private_libraries};\$ORIGIN/../${private_libraries}/torch/lib")
install(TARGETS ${programs} RUNTIME DESTINATION bin COMPONENT server)

foreach(library torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/lib/libgomp.so.1
    nvidia/cu13/lib/libcudart.so.13 nvidia/cu13/lib/libcupti.so.13)
  get_filename_component(folder ${library} DIRECTORY)
  install(FILES ${CANDOR_DEPS_DIR}/${library} DESTINATION ${private_libraries}/${folder} COMPONENT server)
endforeach()
# A fifth of it is symbols that only a debugger reads.
set(installed_torch "\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${private_libraries}/torch/lib/libtorch_cpu.so")
install(CODE "execute_process(COMMAND ${CMAKE_STRIP} --strip-unneeded \"${installed_torch}\" COMMAND_ERROR_IS_FATAL ANY)"
  COMPONENT server)

install(DIRECTORY models/camvid-student models/camvid-teacher models/samples DESTINATION share/candor/models COMPONENT server)
install(DIRECTORY deploy/slurm DESTINATION share/candor COMPONENT server USE_SOURCE_PERMISSIONS)
install(FILES LICENSE README.md SECURITY.md DESTINATION share/doc/candor COMPONENT server)
# The wheels' licences, of as many as are there when it is installed.
foreach(component server server_cuda)
  install(CODE "
    file(GLOB infos ${CANDOR_DEPS_DIR}/torch-*.dist-info ${CANDOR_DEPS_DIR}/nvidia_*.dist-info)
    foreach(info \${infos})
      get_filename_component(name \${info} NAME)
      file(INSTALL \${info}/licenses/ DESTINATION \${CMAKE_INSTALL_PREFIX}/share/doc/candor/licences/\${name})
    endforeach()" COMPONENT ${component})
endforeach()

if(TARGET candor_cuda)
  install(TARGETS candor_cuda candor_graphs LIBRARY DESTINATION ${private_libraries} COMPONENT server_cuda)
  install(DIRECTORY ${CANDOR_DEPS_DIR}/torch/lib/ DESTINATION ${private_libraries}/torch/lib COMPONENT server_cuda
    FILES_MATCHING PATTERN "*cuda*.so" PATTERN "*nvshmem*.so" PATTERN "*nvrtc*.so" PATTERN "libshm*" EXCLUDE)
  install(DIRECTORY ${CANDOR_DEPS_DIR}/nvidia/ DESTINATION ${private_libraries}/nvidia COMPONENT server_cuda
    FILES_MATCHING PATTERN "*.so" PATTERN "*.so.*"
    # The compiler's.
    PATTERN include EXCLUDE PATTERN bin EXCLUDE PATTERN nvvm EXCLUDE PATTERN "libnvvm*" EXCLUDE)
endif()
