# The libraries: sonolux_runtime for firmware, sonolux for everybody else.
#
# Sources are collected by folder. What belongs to firmware is what a trained network needs to run:
# core, priors, the unrolled solvers and sdk/runtime.

find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Boost 1.75 REQUIRED)
if(SONOLUX_WITH_OPENMP)
    find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()
find_package(PkgConfig REQUIRED)
pkg_check_modules(KISSFFT REQUIRED IMPORTED_TARGET kissfft-float)

file(GLOB runtime_sources CONFIGURE_DEPENDS
    core/*.cpp core/*/*.cpp priors/*.cpp solvers/*.cpp sdk/runtime/*.cpp)
file(GLOB full_sources CONFIGURE_DEPENDS
    solvers/training/*.cpp simulation/*.cpp simulation/*/*.cpp sdk/*.cpp sdk/files/*.cpp sdk/pipelines/*.cpp)
file(GLOB simd_sources CONFIGURE_DEPENDS core/*_simd.cpp core/*/*_simd.cpp priors/*_simd.cpp solvers/*_simd.cpp)
list(REMOVE_ITEM runtime_sources ${simd_sources})
set(fftw_sources ${PROJECT_SOURCE_DIR}/core/fft_fftw.cpp)
list(REMOVE_ITEM runtime_sources ${fftw_sources})

add_library(sonolux_runtime_objects OBJECT ${runtime_sources})
target_link_libraries(sonolux_runtime_objects PUBLIC sonolux_compile Eigen3::Eigen Boost::headers PkgConfig::KISSFFT)
target_compile_definitions(sonolux_runtime_objects PUBLIC EIGEN_MPL2_ONLY SLX_VERSION="${PROJECT_VERSION}")
if(SONOLUX_WITH_OPENMP)
    target_link_libraries(sonolux_runtime_objects PUBLIC OpenMP::OpenMP_CXX)
    target_compile_definitions(sonolux_runtime_objects PRIVATE SLX_WITH_OPENMP)
endif()
foreach(source ${simd_sources})
    sonolux_add_simd_source(sonolux_runtime_objects ${source})
endforeach()

if(SONOLUX_WITH_FFTW AND NOT SONOLUX_RUNTIME_ONLY)
    pkg_check_modules(FFTW REQUIRED IMPORTED_TARGET fftw3f)
    if(EXISTS ${fftw_sources})
        target_sources(sonolux_runtime_objects PRIVATE ${fftw_sources})
    endif()
    target_link_libraries(sonolux_runtime_objects PUBLIC PkgConfig::FFTW)
    target_compile_definitions(sonolux_runtime_objects PRIVATE SLX_WITH_FFTW)
endif()

if(NOT SONOLUX_RUNTIME_ONLY AND full_sources)
    find_package(PNG REQUIRED)
    find_package(TIFF REQUIRED)
    find_package(JPEG REQUIRED)
    find_package(fmt REQUIRED)
    find_package(tomlplusplus REQUIRED)
    add_library(sonolux_objects OBJECT ${full_sources})
    target_link_libraries(sonolux_objects PUBLIC sonolux_runtime_objects PNG::PNG TIFF::TIFF JPEG::JPEG fmt::fmt
                          tomlplusplus::tomlplusplus)
    add_library(sonolux $<TARGET_OBJECTS:sonolux_runtime_objects> $<TARGET_OBJECTS:sonolux_objects>)
    target_link_libraries(sonolux PUBLIC sonolux_objects)
endif()
