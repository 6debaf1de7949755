// sonolux/solvers/padded_blur.cpp
#include <algorithm>

#include <sonolux/core/smooth_size.hpp>
#include <sonolux/solvers/padded_blur.hpp>

namespace sonolux {

namespace {

constexpr int taper_rounds = 3;

Index domain_size(Index observed, Index border, DomainSize size, const char* name) {
    require(observed >= 1 && observed <= (Index{1} << 24), Status::invalid_argument, name,
            " must be from 1 to 16777216, got ", observed);
    require(border >= 0 && border <= (Index{1} << 16), Status::invalid_argument, "border_", name,
            " must be from 0 to 65536, got ", border);
    const Index exact = observed + 2 * border;
    return size == DomainSize::fast && border > 0 ? smooth_size(exact) : exact;
}

// 1 - z / max z with z the autocorrelation of the kernel's sum along the other direction, periodic over one
// sample less than there are and closed by its first.
void make_taper(View<const float> kernel, bool along_rows, std::vector<float>& taper) noexcept {
    const Index taps = along_rows ? kernel.rows() : kernel.columns();
    const auto size = static_cast<Index>(taper.size());
    const Index period = std::max<Index>(size - 1, 1);
    const auto marginal = [&](Index i) {
        double sum = 0;
        const Index others = along_rows ? kernel.columns() : kernel.rows();
        for (Index j = 0; j < others; ++j) sum += along_rows ? kernel(i, j) : kernel(j, i);
        return sum;
    };
    const auto correlation = [&](Index lag) {
        double sum = 0;
        for (Index i = 0; i + lag < taps; ++i) sum += marginal(i) * marginal(i + lag);
        return sum;
    };
    const double largest = correlation(0);
    std::fill(taper.begin(), taper.end(), 1.0f);
    if (largest <= 0) return;
    for (Index i = 0; i < size; ++i) {
        const Index lag = std::min(i % period, period - i % period);
        if (lag < taps)
            taper[static_cast<std::size_t>(i)] = static_cast<float>(1 - correlation(lag) / largest);
    }
}

}  // namespace

const char* to_string(BorderTreatment treatment) noexcept {
    switch (treatment) {
        case BorderTreatment::circular: return "circular";
        case BorderTreatment::replicate: return "replicate";
        case BorderTreatment::taper: return "taper";
        case BorderTreatment::valid: return "valid";
    }
    return "unknown";
}

BorderTreatment border_treatment_from_string(std::string_view word) {
    for (BorderTreatment treatment : {BorderTreatment::circular, BorderTreatment::replicate,
                                      BorderTreatment::taper, BorderTreatment::valid})
        if (word == to_string(treatment)) return treatment;
    fail(Status::invalid_argument, "border treatment must be circular, replicate, taper or valid, got \"",
         word, "\"");
}

PaddedBlur::PaddedBlur(Index rows, Index columns, Index border_rows, Index border_columns,
                       BorderTreatment treatment, DomainSize size, FftBackend backend)
    : rows_(rows),
      columns_(columns),
      top_(border_rows),
      left_(border_columns),
      treatment_(treatment),
      blur_(domain_size(rows, border_rows, size, "rows"),
            domain_size(columns, border_columns, size, "columns"), backend),
      row_taper_(static_cast<std::size_t>(blur_.rows()), 1.0f),
      column_taper_(static_cast<std::size_t>(blur_.columns()), 1.0f) {
    require(treatment != BorderTreatment::circular || (border_rows == 0 && border_columns == 0),
            Status::invalid_argument, "a circular image has a border of 0 x 0, got ", border_rows, " x ",
            border_columns);
}

void PaddedBlur::set_kernel(View<const float> kernel) {
    require(kernel.rank() == 2 && kernel.elements() > 0, Status::invalid_argument,
            "a kernel must be [rows, columns], at least 1 x 1, got ", to_string(kernel.shape()));
    const bool circular = treatment_ == BorderTreatment::circular;
    const Index most_rows = circular ? rows_ : 2 * top_ + 1,
                most_columns = circular ? columns_ : 2 * left_ + 1;
    require(kernel.rows() <= most_rows && kernel.columns() <= most_columns, Status::invalid_argument,
            "the kernel must be at most ", most_rows, " x ", most_columns, " here, got ", kernel.rows(),
            " x ", kernel.columns());
    blur_.set_kernel(kernel);
    make_taper(kernel, true, row_taper_);
    make_taper(kernel, false, column_taper_);
}

void PaddedBlur::set_identity() noexcept {
    blur_.set_identity();
    std::fill(row_taper_.begin(), row_taper_.end(), 1.0f);
    std::fill(column_taper_.begin(), column_taper_.end(), 1.0f);
}

std::size_t PaddedBlur::memory_bytes() const noexcept {
    return blur_.memory_bytes() + (row_taper_.size() + column_taper_.size()) * sizeof(float);
}

std::size_t PaddedBlur::workspace_bytes(const Context& context) const noexcept {
    return 2 * Workspace::bytes<float>(domain().elements()) + blur_.workspace_bytes(context);
}

void PaddedBlur::enter(View<const float> y, View<float> image, Context& context) const noexcept {
    for (Index i = 0; i < rows_; ++i) std::copy_n(y.row(i), columns_, image.row(top_ + i) + left_);
    replicate(image);
    if (treatment_ == BorderTreatment::taper || treatment_ == BorderTreatment::valid) taper(image, context);
}

void PaddedBlur::renew_border(View<float> image, Context& context) const noexcept {
    if (!renews_border()) return;
    replicate(image);
    if (treatment_ == BorderTreatment::taper) taper(image, context);
}

void PaddedBlur::renew_border_adjoint(View<float> image, Context& context) const noexcept {
    if (!renews_border()) return;
    if (treatment_ == BorderTreatment::taper) taper_adjoint(image, context);
    replicate_adjoint(image);
}

void PaddedBlur::replicate(View<float> image) const noexcept {
    for (Index i = top_; i < top_ + rows_; ++i) {
        float* row = image.row(i);
        std::fill(row, row + left_, row[left_]);
        std::fill(row + left_ + columns_, row + image.columns(), row[left_ + columns_ - 1]);
    }
    for (Index i = 0; i < image.rows(); ++i)
        if (i < top_ || i >= top_ + rows_)
            std::copy_n(image.row(i < top_ ? top_ : top_ + rows_ - 1), image.columns(), image.row(i));
}

void PaddedBlur::replicate_adjoint(View<float> image) const noexcept {
    for (Index i = 0; i < image.rows(); ++i) {
        if (i >= top_ && i < top_ + rows_) continue;
        float* row = image.row(i);
        float* nearest = image.row(i < top_ ? top_ : top_ + rows_ - 1);
        for (Index j = 0; j < image.columns(); ++j) nearest[j] += row[j];
        std::fill_n(row, image.columns(), 0.0f);
    }
    for (Index i = top_; i < top_ + rows_; ++i) {
        float* row = image.row(i);
        const auto gather = [&](Index from, Index to, Index nearest) {
            for (Index j = from; j < to; ++j) row[nearest] += row[j];
            std::fill(row + from, row + to, 0.0f);
        };
        gather(0, left_, left_);
        gather(left_ + columns_, image.columns(), left_ + columns_ - 1);
    }
}

void PaddedBlur::taper(View<float> image, Context& context) const noexcept {
    if (blur_.is_identity()) return;
    Scratch scratch(context.workspace());
    const View<float> blurred = scratch.take<float>(domain());
    for (int round = 0; round < taper_rounds; ++round) {
        blur_.apply(image, blurred, context);
        const auto mix = [&](Index i, Index begin, Index end) {
            for (Index j = begin; j < end; ++j) {
                const float a =
                    row_taper_[static_cast<std::size_t>(i)] * column_taper_[static_cast<std::size_t>(j)];
                image(i, j) = a * image(i, j) + (1 - a) * blurred(i, j);
            }
        };
        const bool border_alone = treatment_ == BorderTreatment::valid;
        for (Index i = 0; i < image.rows(); ++i) {
            const bool observed = border_alone && i >= top_ && i < top_ + rows_;
            mix(i, 0, observed ? left_ : image.columns());
            if (observed) mix(i, left_ + columns_, image.columns());
        }
    }
}

void PaddedBlur::taper_adjoint(View<float> image, Context& context) const noexcept {
    if (blur_.is_identity()) return;
    Scratch scratch(context.workspace());
    const View<float> weighted = scratch.take<float>(domain()), back = scratch.take<float>(domain());
    for (int round = 0; round < taper_rounds; ++round) {
        for (Index i = 0; i < image.rows(); ++i)
            for (Index j = 0; j < image.columns(); ++j) {
                const float a =
                    row_taper_[static_cast<std::size_t>(i)] * column_taper_[static_cast<std::size_t>(j)];
                weighted(i, j) = (1 - a) * image(i, j);
                image(i, j) *= a;
            }
        blur_.adjoint(weighted, back, context);
        for (Index i = 0; i < image.elements(); ++i) image.data()[i] += back.data()[i];
    }
}

}  // namespace sonolux
