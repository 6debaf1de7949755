# What `cmake --install` puts where: libraries, headers (include/sonolux/core/view.hpp, as in the source tree), the
# program, models, and the packages by which others find them: CMake (find_package) and pkg-config.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sonolux)
install(TARGETS sonolux_runtime sonolux_runtime_static EXPORT sonolux_runtime_targets)
install(EXPORT sonolux_runtime_targets NAMESPACE sonolux:: DESTINATION ${package_dir})
file(GLOB interface_headers CONFIGURE_DEPENDS sdk/runtime/sonolux.h sdk/runtime/sonolux.hpp)
install(FILES ${interface_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sonolux/sdk/runtime)
if(NOT SONOLUX_RUNTIME_ONLY)
    install(TARGETS sonolux EXPORT sonolux_targets)
    install(EXPORT sonolux_targets NAMESPACE sonolux:: DESTINATION ${package_dir})
    install(DIRECTORY core priors solvers simulation sdk DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sonolux
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h" PATTERN command_line EXCLUDE
        REGEX "/hdf5_(handles|state)[.]hpp$" EXCLUDE)  # they show HDF5's own types, for our sources alone
    install(DIRECTORY models DESTINATION ${CMAKE_INSTALL_DATADIR}/sonolux
        FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.md")
    if(TARGET sonolux_cuda)
        install(TARGETS sonolux_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    endif()
    if(TARGET sonolux_program)
        install(TARGETS sonolux_program)
    endif()
    if(TARGET sonolux_kspace)
        install(TARGETS sonolux_kspace)
    endif()
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# CMake: what static linking needs is looked up again on the user's machine.
if(BUILD_SHARED_LIBS)
    set(sonolux_is_static OFF)
else()
    set(sonolux_is_static ON)
endif()
configure_package_config_file(cmake/sonoluxConfig.cmake.in sonoluxConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(sonoluxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sonoluxConfig.cmake ${PROJECT_BINARY_DIR}/sonoluxConfigVersion.cmake
    DESTINATION ${package_dir})

# pkg-config: `--libs` is enough for shared libraries and for a static libsonolux; a static sonolux_runtime wants
# `--static --libs`. Paths are relative to the file, so that the installed tree can be moved.
file(RELATIVE_PATH pc_up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
set(pc_libraries_private "-lstdc++ -lm")
if(SONOLUX_WITH_OPENMP)
    string(APPEND pc_libraries_private " ${OpenMP_CXX_FLAGS}")
endif()
set(pc_packages "kissfft-float, libpng, libtiff-4, libjpeg, fmt, tomlplusplus, matio, hdf5")
if(SONOLUX_WITH_FFTW)
    string(APPEND pc_packages ", fftw3f, fftw3")
endif()
if(sonolux_is_static)
    set(pc_lines "Requires: ${pc_packages}\nLibs: -L\${libdir} -lsonolux ${pc_libraries_private}")
else()
    set(pc_lines "Requires.private: ${pc_packages}\nLibs: -L\${libdir} -lsonolux\nLibs.private: ${pc_libraries_private}")
endif()
configure_file(cmake/sonolux_runtime.pc.in sonolux_runtime.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/sonolux_runtime.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET sonolux)
    configure_file(cmake/sonolux.pc.in sonolux.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/sonolux.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
