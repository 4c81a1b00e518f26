# SPDX-License-Identifier: Apache-2.0
# The C++ client for other projects: `cmake --install BUILD --component client --prefix P`, then find_package(candor) with
# P in CMAKE_PREFIX_PATH and candor::client. Static libraries, the headers that the client's own need, the protocol, and
# the program `candor`.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# What candor_client links, itself included. CMake names one that is missing here.
set(client_libraries base picture image client segmentation_proto health_proto rpc_status_proto rpc_error_details_proto wire
  opencv)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/candor)
foreach(library ${client_libraries})
  set_target_properties(candor_${library} PROPERTIES EXPORT_NAME ${library})
  install(TARGETS candor_${library} EXPORT candor COMPONENT client ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
# In the tree this comes with candor::options. A folder of its own, for names as plain as core/ and client/.
target_include_directories(candor_client INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/candor>)
install(EXPORT candor NAMESPACE candor:: FILE candor-targets.cmake DESTINATION ${package_dir} COMPONENT client)

foreach(header client/error_details.h client/segmentation_client.h client/segmentation_stream.h core/base/file.h
    core/base/status_macros.h core/image/decode.h core/image/encode.h core/image/image.h core/image/picture.h
    core/image/raw_image.h)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/candor/${folder} COMPONENT client)
endforeach()
install(FILES proto/candor/v1/segmentation.proto DESTINATION ${CMAKE_INSTALL_DATADIR}/candor/proto/candor/v1
  COMPONENT client)
install(PROGRAMS $<TARGET_FILE:candor> DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT client)

write_basic_package_version_file(${CMAKE_BINARY_DIR}/candor-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/candor-config.cmake ${CMAKE_BINARY_DIR}/candor-config-version.cmake DESTINATION ${package_dir}
  COMPONENT client)
