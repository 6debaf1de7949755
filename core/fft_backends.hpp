// sonolux/core/fft_backends.hpp
//
// What core/fft.cpp chooses from. Sizes are valid here.
#pragma once

#include <sonolux/core/line_fft.hpp>

namespace sonolux::detail {

[[nodiscard]] std::unique_ptr<RealFft2> make_kiss_fft2(Index rows, Index columns);
[[nodiscard]] std::unique_ptr<ComplexLineFft> make_kiss_line(Index length);

[[nodiscard]] std::unique_ptr<RealFft2> make_fftw_fft2(Index rows, Index columns, FftPlanning planning);
[[nodiscard]] std::unique_ptr<ComplexLineFft> make_fftw_line(Index length, FftPlanning planning);
[[nodiscard]] std::string fftw_description(FftPlanning planning);
[[nodiscard]] std::string export_fftw_wisdom();
void import_fftw_wisdom(const std::string& wisdom);

}  // namespace sonolux::detail
