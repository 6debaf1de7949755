// sonolux/simulation/optics/field_transform.cpp
#include <algorithm>
#include <mutex>
#include <vector>

#ifdef SLX_WITH_FFTW
#include <fftw3.h>
#else
#include <unsupported/Eigen/FFT>
#endif

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/optics/field_transform.hpp>

namespace sonolux {

#ifdef SLX_WITH_FFTW

namespace {

/// Only executing plans is safe beside other threads. (FFTW in single precision has a planner of its own.)
std::mutex& planner() {
    static std::mutex mutex;
    return mutex;
}

}  // namespace

struct FieldTransform::Plans {
    explicit Plans(Index size) {
        Array<Complex> field({size, size});
        auto* data = reinterpret_cast<fftw_complex*>(field.data());
        const auto n = static_cast<int>(size);
        const std::lock_guard lock(planner());
        forward = fftw_plan_dft_2d(n, n, data, data, FFTW_FORWARD, FFTW_ESTIMATE);
        inverse = fftw_plan_dft_2d(n, n, data, data, FFTW_BACKWARD, FFTW_ESTIMATE);
        require(forward != nullptr && inverse != nullptr, Status::out_of_memory,
                "FFT: FFTW makes no plan for fields of ", size, " x ", size);
    }
    ~Plans() {
        const std::lock_guard lock(planner());
        fftw_destroy_plan(forward);
        fftw_destroy_plan(inverse);
    }
    Plans(const Plans&) = delete;
    Plans& operator=(const Plans&) = delete;

    static void run(fftw_plan plan, View<Complex> field) {
        auto* data = reinterpret_cast<fftw_complex*>(field.data());
        fftw_execute_dft(plan, data, data);
    }

    fftw_plan forward = nullptr, inverse = nullptr;
};

void FieldTransform::forward(View<Complex> field) const { Plans::run(plans_->forward, field); }
void FieldTransform::inverse(View<Complex> field) const { Plans::run(plans_->inverse, field); }

struct FieldLineTransform::Plan {
    explicit Plan(Index length) {
        Array<Complex> line({length});
        auto* data = reinterpret_cast<fftw_complex*>(line.data());
        const std::lock_guard lock(planner());
        forward = fftw_plan_dft_1d(static_cast<int>(length), data, data, FFTW_FORWARD, FFTW_ESTIMATE);
        require(forward != nullptr, Status::out_of_memory, "FFT: FFTW makes no plan for lines of ", length);
    }
    ~Plan() {
        const std::lock_guard lock(planner());
        fftw_destroy_plan(forward);
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    fftw_plan forward = nullptr;
};

void FieldLineTransform::forward(Complex* line) const {
    auto* data = reinterpret_cast<fftw_complex*>(line);
    fftw_execute_dft(plan_->forward, data, data);
}

#else

struct FieldTransform::Plans {
    explicit Plans(Index) { fft.SetFlag(Eigen::FFT<double>::Unscaled); }

    void lines(View<Complex> field, bool inverse) {
        const Index n = field.rows();
        std::vector<Complex> in(static_cast<std::size_t>(n)), out(in.size());
        for (const bool columns : {false, true})
            for (Index i = 0; i < n; ++i) {
                for (Index j = 0; j < n; ++j)
                    in[static_cast<std::size_t>(j)] = columns ? field(j, i) : field(i, j);
                if (inverse)
                    fft.inv(out.data(), in.data(), n);
                else
                    fft.fwd(out.data(), in.data(), n);
                for (Index j = 0; j < n; ++j)
                    (columns ? field(j, i) : field(i, j)) = out[static_cast<std::size_t>(j)];
            }
    }

    Eigen::FFT<double> fft;
};

void FieldTransform::forward(View<Complex> field) const { plans_->lines(field, false); }
void FieldTransform::inverse(View<Complex> field) const { plans_->lines(field, true); }

struct FieldLineTransform::Plan {
    explicit Plan(Index length) : in(static_cast<std::size_t>(length)) {
        fft.SetFlag(Eigen::FFT<double>::Unscaled);
    }

    Eigen::FFT<double> fft;
    std::vector<Complex> in;
};

void FieldLineTransform::forward(Complex* line) const {
    std::copy_n(line, length_, plan_->in.begin());
    plan_->fft.fwd(line, plan_->in.data(), length_);
}

#endif

FieldTransform::FieldTransform(Index size) : size_(size) {
    require(size >= 1 && size <= 32768, Status::invalid_argument,
            "FFT: the size of a field must be 1 to 32768, got ", size);
    plans_ = std::make_unique<Plans>(size);
}

FieldTransform::~FieldTransform() = default;

FieldLineTransform::FieldLineTransform(Index length) : length_(length) {
    require(length >= 1 && length <= 1 << 20, Status::invalid_argument,
            "FFT: the length of a line must be 1 to 2^20, got ", length);
    plan_ = std::make_unique<Plan>(length);
}

FieldLineTransform::~FieldLineTransform() = default;

}  // namespace sonolux
