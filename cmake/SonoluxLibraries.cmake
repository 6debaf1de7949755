# The libraries.
#
#   sonolux                   everything, for C++ programs; static, or shared with BUILD_SHARED_LIBS
#   sonolux_runtime           for firmware: what a trained network needs to run, behind a C interface; shared,
#                             exports slx_* and nothing else
#   sonolux_runtime_static    the same, static
#
# Sources are collected by folder and compiled once: into sonolux_runtime_objects (core, priors, the unrolled
# solvers and the linear estimate that some of them start from, sdk/runtime) and sonolux_objects (everything else).
# Only core/fft.cpp, which chooses among the FFTs that were built, is compiled for each library, because firmware never
# sees FFTW.

find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Boost 1.75 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(KISSFFT REQUIRED IMPORTED_TARGET kissfft-float)
if(SONOLUX_WITH_OPENMP)
    find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()

file(GLOB runtime_sources CONFIGURE_DEPENDS
    core/*.cpp core/*/*.cpp priors/*.cpp solvers/*.cpp solvers/tracking/*.cpp solvers/global_speed/*.cpp
    solvers/classical/channel_lmmse.cpp sdk/runtime/*.cpp)
file(GLOB full_sources CONFIGURE_DEPENDS
    solvers/classical/*.cpp solvers/training/*.cpp
    simulation/*.cpp simulation/*/*.cpp sdk/*.cpp sdk/files/*.cpp sdk/pipelines/*.cpp)
file(GLOB simd_sources CONFIGURE_DEPENDS core/*_simd.cpp core/*/*_simd.cpp priors/*_simd.cpp solvers/*_simd.cpp)
file(GLOB fft_choice_source CONFIGURE_DEPENDS core/fft.cpp)
file(GLOB fftw_source CONFIGURE_DEPENDS core/fft_fftw.cpp)
file(GLOB simulation_simd_sources CONFIGURE_DEPENDS simulation/*/*_simd.cpp)
list(REMOVE_ITEM runtime_sources ${simd_sources} ${fft_choice_source} ${fftw_source})
list(REMOVE_ITEM full_sources ${runtime_sources} ${simulation_simd_sources})

# What every source of ours is compiled with. Public headers need none of it, so no user of an installed library does.
add_library(sonolux_usage INTERFACE)
target_link_libraries(sonolux_usage INTERFACE sonolux_compile Eigen3::Eigen Boost::headers PkgConfig::KISSFFT)
target_compile_definitions(sonolux_usage INTERFACE EIGEN_MPL2_ONLY SLX_VERSION="${PROJECT_VERSION}")
set(runtime_needs PkgConfig::KISSFFT ${CMAKE_DL_LIBS})  # what the libraries are linked with
if(SONOLUX_WITH_OPENMP)
    target_link_libraries(sonolux_usage INTERFACE OpenMP::OpenMP_CXX)
    target_compile_definitions(sonolux_usage INTERFACE SLX_WITH_OPENMP)
    list(APPEND runtime_needs OpenMP::OpenMP_CXX)
endif()

# Where the CUDA module is once it is installed, seen from the folder of programs.
set_source_files_properties(core/cuda/module.cpp PROPERTIES
    COMPILE_DEFINITIONS "SLX_LIBRARY_FOLDER=\"${CMAKE_INSTALL_LIBDIR}\"")
add_library(sonolux_runtime_objects OBJECT ${runtime_sources})
target_link_libraries(sonolux_runtime_objects PRIVATE sonolux_usage)
set(runtime_objects $<TARGET_OBJECTS:sonolux_runtime_objects>)
foreach(source ${simd_sources})
    sonolux_add_simd_source(runtime_objects ${source})
endforeach()

function(sonolux_finish_library library)
    target_include_directories(${library} PUBLIC
        $<BUILD_INTERFACE:${SONOLUX_INCLUDE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${library} PRIVATE $<BUILD_INTERFACE:sonolux_usage>)
    set_target_properties(${library} PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LINKER_LANGUAGE CXX)
    target_link_options(${library} PRIVATE -Wl,--gc-sections)
endfunction()

add_library(sonolux_runtime SHARED ${runtime_objects} ${fft_choice_source})
add_library(sonolux_runtime_static STATIC ${runtime_objects} ${fft_choice_source})
foreach(library sonolux_runtime sonolux_runtime_static)
    sonolux_finish_library(${library})
    target_link_libraries(${library} PRIVATE ${runtime_needs})
endforeach()
set(version_script ${PROJECT_SOURCE_DIR}/cmake/sonolux_runtime.map)
target_link_options(sonolux_runtime PRIVATE
    -Wl,--version-script=${version_script} -Wl,--exclude-libs,ALL -Wl,--as-needed)
set_target_properties(sonolux_runtime PROPERTIES EXPORT_NAME runtime LINK_DEPENDS ${version_script})
set_target_properties(sonolux_runtime_static PROPERTIES EXPORT_NAME runtime_static OUTPUT_NAME sonolux_runtime)

if(NOT SONOLUX_RUNTIME_ONLY)
    find_package(PNG REQUIRED)
    find_package(TIFF REQUIRED)
    find_package(JPEG REQUIRED)
    find_package(fmt REQUIRED)
    find_package(tomlplusplus REQUIRED)
    pkg_check_modules(MATIO REQUIRED IMPORTED_TARGET matio)
    pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5)
    set(full_needs PNG::PNG TIFF::TIFF JPEG::JPEG fmt::fmt tomlplusplus::tomlplusplus PkgConfig::MATIO
        PkgConfig::HDF5)
    add_library(sonolux_full_usage INTERFACE)
    target_link_libraries(sonolux_full_usage INTERFACE sonolux_usage ${full_needs})
    if(SONOLUX_WITH_FFTW)
        pkg_check_modules(FFTW REQUIRED IMPORTED_TARGET fftw3f fftw3)  # images, and fields of light in double
        target_link_libraries(sonolux_full_usage INTERFACE PkgConfig::FFTW)
        target_compile_definitions(sonolux_full_usage INTERFACE SLX_WITH_FFTW)
        list(APPEND full_needs PkgConfig::FFTW)
    else()
        set(fftw_source)
    endif()

    set(full_objects)
    if(full_sources)
        add_library(sonolux_objects OBJECT ${full_sources})
        target_link_libraries(sonolux_objects PRIVATE sonolux_full_usage)
        # Trained models say which commit trained them.
        add_custom_target(sonolux_git_hash BYPRODUCTS ${PROJECT_BINARY_DIR}/git_hash.cpp COMMENT ""
            COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${PROJECT_BINARY_DIR}/git_hash.cpp
                -P ${PROJECT_SOURCE_DIR}/cmake/git_hash.cmake)
        target_sources(sonolux_objects PRIVATE ${PROJECT_BINARY_DIR}/git_hash.cpp)
        add_dependencies(sonolux_objects sonolux_git_hash)
        set(full_objects $<TARGET_OBJECTS:sonolux_objects>)
        foreach(source ${simulation_simd_sources})
            sonolux_add_simd_source(full_objects ${source})
        endforeach()
    endif()
    add_library(sonolux ${runtime_objects} ${full_objects} ${fft_choice_source} ${fftw_source})
    sonolux_finish_library(sonolux)
    target_compile_features(sonolux PUBLIC cxx_std_20)
    target_link_libraries(sonolux PRIVATE $<BUILD_INTERFACE:sonolux_full_usage> ${runtime_needs} ${full_needs})
endif()
