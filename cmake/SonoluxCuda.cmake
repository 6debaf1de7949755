# The CUDA module: every *.cu of the libraries in libsonolux_cuda.so, which is loaded when a device is asked for
# (core/cuda/module.hpp). Nothing links it, so that the same programs run where there is no CUDA.
#
# Built where nvcc is found, or refused with a reason where it is asked for (SONOLUX_WITH_CUDA=ON) and missing.
set(SONOLUX_WITH_CUDA AUTO CACHE STRING "Build the CUDA module: ON, OFF or AUTO (where nvcc is found)")
set_property(CACHE SONOLUX_WITH_CUDA PROPERTY STRINGS AUTO ON OFF)
if(NOT SONOLUX_WITH_CUDA OR SONOLUX_SANITIZE OR SONOLUX_RUNTIME_ONLY)
    return()
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
    if(SONOLUX_WITH_CUDA STREQUAL "ON")
        message(FATAL_ERROR "SONOLUX_WITH_CUDA is ON, and no nvcc was found: set CMAKE_CUDA_COMPILER")
    endif()
    message(STATUS "CUDA module: not built, no nvcc was found")
    return()
endif()
# Machine code for A100 and H100, and for whatever comes later what the driver compiles.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # the CMake of Debian 12 does not know that nvcc has C++20
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()

file(GLOB cuda_sources CONFIGURE_DEPENDS core/cuda/*.cu core/*.cu core/*/*.cu priors/*.cu solvers/*.cu solvers/*/*.cu
    simulation/*/*.cu)
list(REMOVE_DUPLICATES cuda_sources)
add_library(sonolux_cuda MODULE ${cuda_sources})
target_include_directories(sonolux_cuda PRIVATE ${SONOLUX_INCLUDE_DIR})
target_compile_definitions(sonolux_cuda PRIVATE SLX_VERSION="${PROJECT_VERSION}")
# --fmad=false: a * b + c has two roundings as on the CPU, and one where multiply_add says so.
target_compile_options(sonolux_cuda PRIVATE --fmad=false --expt-relaxed-constexpr -Xcompiler=-fvisibility=hidden
    $<$<BOOL:${CMAKE_COMPILE_WARNING_AS_ERROR}>:-Werror=all-warnings>)
set_target_properties(sonolux_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Static CUDA_SEPARABLE_COMPILATION OFF)
target_link_libraries(sonolux_cuda PRIVATE CUDA::cudart_static)
message(STATUS "CUDA module: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
