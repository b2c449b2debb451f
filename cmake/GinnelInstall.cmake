# What `cmake --install build/release --prefix P` puts where:
#
#   P/bin/ginnel                 the program
#   P/include/ginnel/            the public headers
#   P/include/ginnel-cores/      the headers of the cores, spelled as here: "proto/kcp/kcp.h"
#   P/lib/libginnel_*.a          every module of src/ but the command line, and the simulator
#   P/lib/libginnel.so.1         the C interface; with P/lib/pkgconfig/ginnel.pc
#   P/lib/cmake/ginnel/          the package: find_package(ginnel), see ginnelConfig.cmake.in
#
# Modules that are no cores (node, io, runtime, …) are installed to be linked by ginnel::ginnel, and
# without headers: what they look like inside is nobody else's business.
include_guard()
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(GINNEL_CORE_HEADERS_DIR "${CMAKE_INSTALL_INCLUDEDIR}/ginnel-cores")
set(GINNEL_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/ginnel")
# The folders of the cores, below src/.
set(GINNEL_CORES base crypto proto/control proto/kcp proto/path proto/relay proto/stun proto/swim
  proto/wg)

# The library ginnel_NAME becomes ginnel::NAME of the package.
function(ginnel_install_library name)
  set_target_properties(ginnel_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(ginnel_${name} PUBLIC cxx_std_20)
  target_include_directories(ginnel_${name} PUBLIC
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    $<INSTALL_INTERFACE:${GINNEL_CORE_HEADERS_DIR}>)
  install(TARGETS ginnel_${name} EXPORT ginnelTargets)
endfunction()

# ginnel::ginnel: the library of include/ginnel. (The target `ginnel` is the program.)
function(ginnel_install_public_library)
  add_library(ginnel_public INTERFACE)
  add_library(ginnel::ginnel ALIAS ginnel_public)
  target_link_libraries(ginnel_public INTERFACE ginnel_runtime_gossip ginnel_runtime)
  set_target_properties(ginnel_public PROPERTIES EXPORT_NAME ginnel)
  install(TARGETS ginnel_public EXPORT ginnelTargets)
endfunction()

# ginnel::sim: the simulator behind include/ginnel/sim.h. (In the tree that name is the world's alone.)
function(ginnel_install_simulator)
  foreach(name sim sim_nodes sim_library)
    ginnel_install_library(${name})
  endforeach()
  set_target_properties(ginnel_sim PROPERTIES EXPORT_NAME sim_world)
  set_target_properties(ginnel_sim_library PROPERTIES EXPORT_NAME sim)
endfunction()

function(ginnel_install_headers)
  install(DIRECTORY include/ginnel DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  foreach(core IN LISTS GINNEL_CORES)
    install(DIRECTORY src/${core}/ DESTINATION ${GINNEL_CORE_HEADERS_DIR}/${core}
      FILES_MATCHING PATTERN "*.h" PATTERN testing EXCLUDE PATTERN testdata EXCLUDE)
  endforeach()
endfunction()

function(ginnel_install_package)
  install(EXPORT ginnelTargets NAMESPACE ginnel:: DESTINATION ${GINNEL_PACKAGE_DIR})
  configure_package_config_file(cmake/ginnelConfig.cmake.in ${CMAKE_BINARY_DIR}/ginnelConfig.cmake
    INSTALL_DESTINATION ${GINNEL_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
  # Before 1.0 a minor version may change everything.
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/ginnelConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/ginnelConfig.cmake
    ${CMAKE_BINARY_DIR}/ginnelConfigVersion.cmake DESTINATION ${GINNEL_PACKAGE_DIR})
endfunction()

# Once, after all modules were made.
function(ginnel_install)
  install(TARGETS ginnel)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
  ginnel_install_public_library()
  ginnel_install_simulator()
  ginnel_install_headers()
  ginnel_install_package()
endfunction()
