# How a module of the tree becomes a library with tests beside its sources.
include_guard()
include(GinnelInstall)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD AND NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  add_link_options(-fuse-ld=mold)
endif()

add_library(ginnel_options INTERFACE)
target_compile_options(ginnel_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror
  # Options structs are filled by name; what is left out has its default.
  -Wno-missing-field-initializers
  # g++ 12 sees them in moved std::variant and compared std::vector where there are none.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-stringop-overread>
  # -Wconversion of clang means this, too; that of g++, which compiles everything, does not.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)
target_include_directories(ginnel_options INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)

set(GINNEL_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")
if(GINNEL_SANITIZE)
  add_compile_options(-fsanitize=${GINNEL_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${GINNEL_SANITIZE})
  if(GINNEL_SANITIZE STREQUAL "thread")
    # gcc knows no fences there. Boost.Asio has some around each handler, beside the mutexes that order
    # its queues: without them nothing is unordered.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    add_compile_options(-Wno-tsan)
  endif()
endif()
option(GINNEL_FUZZ "Build the libFuzzer targets (clang)" OFF)
if(GINNEL_FUZZ)
  # With the counters of tools/coverage.
  add_compile_options(-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

find_package(GTest REQUIRED)
set(GINNEL_MODULES_DIR "${CMAKE_SOURCE_DIR}/src")

# ginnel_module(NAME [NOT_INSTALLED] SOURCES … [DEPS …] [TESTS …])
# Makes the library ginnel_NAME (alias ginnel::NAME) and, of TESTS, the program NAME_test with one
# CTest entry. Test data: the macro GINNEL_TESTDATA is the module's testdata folder.
# Modules of src/ are installed (GinnelInstall.cmake) unless NOT_INSTALLED stands there.
function(ginnel_module name)
  cmake_parse_arguments(ARG "NOT_INSTALLED" "" "SOURCES;DEPS;TESTS;TEST_DEPS" ${ARGN})
  add_library(ginnel_${name} STATIC ${ARG_SOURCES})
  add_library(ginnel::${name} ALIAS ginnel_${name})
  target_link_libraries(ginnel_${name} PUBLIC ${ARG_DEPS} PRIVATE $<BUILD_INTERFACE:ginnel_options>)
  target_include_directories(ginnel_${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
  cmake_path(IS_PREFIX GINNEL_MODULES_DIR "${CMAKE_CURRENT_SOURCE_DIR}" is_of_src)
  if(is_of_src AND NOT ARG_NOT_INSTALLED)
    ginnel_install_library(${name})
  endif()
  if(ARG_TESTS)
    ginnel_test(${name}_test SOURCES ${ARG_TESTS} DEPS ginnel_${name} ${ARG_TEST_DEPS})
  endif()
endfunction()

# Modules whose tests the fuzz preset has, too: they run in CI under its sanitizers.
set(GINNEL_SANITIZED_TESTS base crypto control kcp path relay stun swim wg forward channels)
add_custom_target(sanitized_tests)

# ginnel_test(NAME SOURCES … DEPS …): a GoogleTest program that CTest runs.
function(ginnel_test name)
  string(REGEX REPLACE "_test$" "" module ${name})
  if(GINNEL_FUZZ AND NOT module IN_LIST GINNEL_SANITIZED_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  add_dependencies(sanitized_tests ${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} ginnel_options GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    GINNEL_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/testdata")
  # What is tested is optimized and counted; the tests themselves only have to compile soon.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  if(GINNEL_FUZZ)
    target_compile_options(${name} PRIVATE -fno-profile-instr-generate -fno-coverage-mapping)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# ginnel_fuzz(NAME DEPS …): fuzz/NAME_fuzz.cc with the corpus fuzz/corpus/NAME. With GINNEL_FUZZ it
# is a libFuzzer program; in every other build CTest replays the corpus through the same function.
function(ginnel_fuzz name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  set(source ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.cc)
  if(GINNEL_FUZZ)
    add_executable(${name}_fuzz ${source})
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name}_fuzz ${source} ${CMAKE_SOURCE_DIR}/fuzz/replay.cc)
    add_test(NAME ${name}_fuzz_replay
      COMMAND ${name}_fuzz ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
    set_tests_properties(${name}_fuzz_replay PROPERTIES LABELS unit TIMEOUT 120)
  endif()
  add_dependencies(fuzz_targets ${name}_fuzz)
  target_link_libraries(${name}_fuzz PRIVATE ${ARG_DEPS} ginnel_options)
  set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()
