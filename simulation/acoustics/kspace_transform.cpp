// sonolux/simulation/acoustics/kspace_transform.cpp
#include <sonolux/simulation/acoustics/kspace_transform.hpp>

namespace sonolux {
namespace {

/// So that lines begin aligned, and never a power of two apart.
Index padded(Index length) noexcept { return (length + 7) / 8 * 8 + 8; }

}  // namespace

KspaceTransform::KspaceTransform(const KspaceSize& size, int threads, FftBackend backend,
                                 FftPlanning planning)
    : size_(size) {
    constexpr Index most = Index{1} << 20;
    for (Index length : {size.planes, size.rows, size.columns})
        require(length >= 1 && length <= most, Status::invalid_argument,
                "k-space grid: sizes must be at least 1 and at most ", most, ", got ", length);
    stride_ = (half() + 7) / 8 * 8;
    row_line_ = padded(size.columns);
    line_stride_ = padded(std::max(size.rows, size.planes));
    constexpr Index sets = 2 * static_cast<Index>(most_spectra);
    lanes_.resize(static_cast<std::size_t>(std::max(1, threads)));
    for (Lane& lane : lanes_) {
        lane.x = make_complex_line_fft(size.columns, backend, planning);
        if (size.volume()) lane.y = make_complex_line_fft(size.rows, backend, planning);
        lane.last = make_complex_line_fft(last_length(), backend, planning);
        lane.row = Array<Complex>({2, row_line_});
        lane.wide = Array<Complex>({sets, at_once, line_stride_});
        lane.middle = Array<Complex>({sets, line_stride_});
        lane.factors = Array<float>({line_stride_});
    }
}

std::size_t KspaceTransform::memory_bytes() const noexcept {
    const Lane& lane = lanes_.front();
    return lanes_.size() * sizeof(Complex) *
           static_cast<std::size_t>(lane.row.elements() + lane.wide.elements() + lane.middle.elements());
}

// Two rows are real and imaginary part of one line z; their spectra are its even and odd part,
// (Z[l] + Z[-l]*) / 2 and (Z[l] - Z[-l]*) / 2i. The halves stay away.
void KspaceTransform::rows_forward(int thread, const float* a, const float* b, Complex* a_half,
                                   Complex* b_half) noexcept {
    Lane& lane = lanes_[static_cast<std::size_t>(thread)];
    const Index columns = size_.columns;
    float* in = reinterpret_cast<float*>(lane.row.data());
    Complex* line = lane.row.data() + row_line_;
    for (Index j = 0; j < columns; ++j) {
        in[2 * j] = a[j];
        in[2 * j + 1] = b != nullptr ? b[j] : 0.0f;
    }
    lane.x->forward(lane.row.data(), line);
    line[columns] = line[0];  // so that l = 0 is no exception
    const float* z = reinterpret_cast<const float*>(line);
    float* sa = reinterpret_cast<float*>(a_half);
    float* sb = reinterpret_cast<float*>(b_half);
    if (b == nullptr) {
        for (Index l = 0; l < half(); ++l) {
            sa[2 * l] = z[2 * l] + z[2 * (columns - l)];
            sa[2 * l + 1] = z[2 * l + 1] - z[2 * (columns - l) + 1];
        }
        return;
    }
    for (Index l = 0; l < half(); ++l) {
        const float re = z[2 * l], im = z[2 * l + 1];
        const float mirrored_re = z[2 * (columns - l)], mirrored_im = z[2 * (columns - l) + 1];
        sa[2 * l] = re + mirrored_re;
        sa[2 * l + 1] = im - mirrored_im;
        sb[2 * l] = im + mirrored_im;
        sb[2 * l + 1] = mirrored_re - re;
    }
}

// The other way: z = a + i b has the spectrum A + i B. In columns 0 and columns / 2 the spectra of real rows
// are real; what rounding left there is dropped.
void KspaceTransform::rows_inverse(int thread, const Complex* a_half, const Complex* b_half, float* a,
                                   float* b) noexcept {
    Lane& lane = lanes_[static_cast<std::size_t>(thread)];
    const Index columns = size_.columns;
    float* z = reinterpret_cast<float*>(lane.row.data());
    const float* sa = reinterpret_cast<const float*>(a_half);
    const float* sb = reinterpret_cast<const float*>(b_half);
    const bool pair = b != nullptr;
    z[0] = sa[0];
    z[1] = pair ? sb[0] : 0.0f;
    const Index paired = (columns - 1) / 2;  // bins that have a mirror
    if (pair) {
        for (Index l = 1; l <= paired; ++l) {
            const float re_a = sa[2 * l], im_a = sa[2 * l + 1], re_b = sb[2 * l], im_b = sb[2 * l + 1];
            z[2 * l] = re_a - im_b;
            z[2 * l + 1] = im_a + re_b;
            z[2 * (columns - l)] = re_a + im_b;
            z[2 * (columns - l) + 1] = re_b - im_a;
        }
    } else {
        for (Index l = 1; l <= paired; ++l) {
            z[2 * l] = z[2 * (columns - l)] = sa[2 * l];
            z[2 * l + 1] = sa[2 * l + 1];
            z[2 * (columns - l) + 1] = -sa[2 * l + 1];
        }
    }
    if (columns % 2 == 0) {
        z[columns] = sa[columns];
        z[columns + 1] = pair ? sb[columns] : 0.0f;
    }
    const Complex* line = lane.row.data() + row_line_;
    lane.x->inverse(lane.row.data(), lane.row.data() + row_line_);
    const float* out = reinterpret_cast<const float*>(line);
    for (Index j = 0; j < columns; ++j) a[j] = out[2 * j];
    if (pair)
        for (Index j = 0; j < columns; ++j) b[j] = out[2 * j + 1];
}

// Columns of a spectrum to adjacent lines, and back.
void KspaceTransform::gather(const Complex* from, Index step, Index length, Index some,
                             Complex* to) const noexcept {
    if (some == at_once) {
        for (Index i = 0; i < length; ++i)
            for (Index l = 0; l < at_once; ++l) to[l * line_stride_ + i] = from[i * step + l];
        return;
    }
    for (Index i = 0; i < length; ++i)
        for (Index l = 0; l < some; ++l) to[l * line_stride_ + i] = from[i * step + l];
}

void KspaceTransform::scatter(const Complex* from, Index step, Index length, Index some,
                              Complex* to) const noexcept {
    if (some == at_once) {
        for (Index i = 0; i < length; ++i)
            for (Index l = 0; l < at_once; ++l) to[i * step + l] = from[l * line_stride_ + i];
        return;
    }
    for (Index i = 0; i < length; ++i)
        for (Index l = 0; l < some; ++l) to[i * step + l] = from[l * line_stride_ + i];
}

void KspaceTransform::plane_along_y(Complex* spectrum, Index plane, int thread, bool inverse) noexcept {
    Lane& lane = lanes_[static_cast<std::size_t>(thread)];
    Complex* start = spectrum + plane * size_.rows * stride_;
    Complex* in = lane.wide.data();
    Complex* out = in + at_once * line_stride_;
    for (Index first = 0; first < half(); first += at_once) {
        const Index some = std::min(at_once, half() - first);
        gather(start + first, stride_, size_.rows, some, in);
        for (Index l = 0; l < some; ++l) {
            if (inverse)
                lane.y->inverse(in + l * line_stride_, out + l * line_stride_);
            else
                lane.y->forward(in + l * line_stride_, out + l * line_stride_);
        }
        scatter(out, stride_, size_.rows, some, start + first);
    }
}

}  // namespace sonolux
