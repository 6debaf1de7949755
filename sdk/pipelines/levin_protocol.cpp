// sonolux/sdk/pipelines/levin_protocol.cpp
#include <sonolux/sdk/pipelines/levin_protocol.hpp>

#include <array>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/levin_set.hpp>

namespace sonolux {
namespace {

constexpr Index bases = 2 * levin_max_shift;  // whole shifts -5 to 4: a shift of 5 is 4 and a fraction of 1

// One shift along one axis: pixels and, of the next pixel, a weight.
struct AxisShift {
    Index base;
    double fraction;
    [[nodiscard]] double value() const noexcept { return static_cast<double>(base) + fraction; }
};

std::vector<AxisShift> axis_shifts() {
    std::vector<AxisShift> shifts;
    for (Index step = 0; step <= bases * levin_shift_steps; ++step) {
        const Index base = std::min(step / levin_shift_steps, bases - 1);
        shifts.push_back({base - levin_max_shift,
                          static_cast<double>(step - base * levin_shift_steps) / double{levin_shift_steps}});
    }
    return shifts;
}

std::array<double, 4> bilinear_weights(double a, double b) {
    return {(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b};
}

// The parts of both images that are compared.
struct Comparison {
    View<const float> estimate, sharp;

    [[nodiscard]] Index rows() const noexcept { return sharp.rows() - 2 * levin_border; }
    [[nodiscard]] Index columns() const noexcept { return sharp.columns() - 2 * levin_border; }
    [[nodiscard]] const float* truth(Index i) const noexcept {
        return sharp.row(levin_border + i) + levin_border;
    }
    [[nodiscard]] const float* shifted(Index i, Index a, Index b) const noexcept {
        return estimate.row(levin_border + i + a) + levin_border + b;
    }
};

// The squared error of a shift is a quadratic form in its bilinear weights: these add up to 1, so
//
//     sum (x_ab - t)^2 = sum over p, q of w_p w_q G_pq,     G_pq = sum over pixels of (x_p - t) (x_q - t)
//
// where x_p are the four whole shifts around (a, b). So the sums over the pixels serve all fractions, and
// trying every shift costs no more than a search would.
using Gram = std::array<double, 10>;  // G_pq for p <= q

Gram gram_of(const Comparison& comparison, Index a, Index b) {
    Gram total{};
    for (Index i = 0; i < comparison.rows(); ++i) {
        const float *truth = comparison.truth(i), *above = comparison.shifted(i, a, b),
                    *below = comparison.shifted(i, a + 1, b);
        Gram row{};
        for (Index j = 0; j < comparison.columns(); ++j) {
            const double t = truth[j];
            const double error[] = {above[j] - t, above[j + 1] - t, below[j] - t, below[j + 1] - t};
            for (int p = 0, place = 0; p < 4; ++p)
                for (int q = p; q < 4; ++q) row[place++] += error[p] * error[q];
        }
        for (std::size_t place = 0; place < total.size(); ++place) total[place] += row[place];
    }
    return total;
}

double squared_error(const Gram& gram, const std::array<double, 4>& weights) {
    double sum = 0;
    for (int p = 0, place = 0; p < 4; ++p)
        for (int q = p; q < 4; ++q) sum += (p == q ? 1 : 2) * weights[p] * weights[q] * gram[place++];
    return sum;
}

// Once more and without the differences of large sums, for the shift that was chosen.
double squared_error(const Comparison& comparison, const AxisShift& a, const AxisShift& b) {
    const std::array<double, 4> w = bilinear_weights(a.fraction, b.fraction);
    double total = 0;
    for (Index i = 0; i < comparison.rows(); ++i) {
        const float *truth = comparison.truth(i), *above = comparison.shifted(i, a.base, b.base),
                    *below = comparison.shifted(i, a.base + 1, b.base);
        double row = 0;
        for (Index j = 0; j < comparison.columns(); ++j) {
            const double value = w[0] * double{above[j]} + w[1] * double{above[j + 1]} +
                                 w[2] * double{below[j]} + w[3] * double{below[j + 1]};
            row += (value - double{truth[j]}) * (value - double{truth[j]});
        }
        total += row;
    }
    return total;
}

LevinResult mean_of(const std::vector<LevinResult>& results, Index kernel) {
    LevinResult mean;
    mean.kernel = kernel;
    double count = 0;
    for (const LevinResult& result : results) {
        if (kernel != 0 && result.kernel != kernel) continue;
        mean.blurred.psnr += result.blurred.psnr;
        mean.estimate.psnr += result.estimate.psnr;
        mean.seconds += result.seconds;
        ++count;
    }
    for (double* sum : {&mean.blurred.psnr, &mean.estimate.psnr, &mean.seconds}) *sum /= count;
    return mean;
}

}  // namespace

bool AlignedPsnr::at_the_limit() const noexcept {
    return std::max(std::abs(row_shift), std::abs(column_shift)) >= double{levin_max_shift};
}

AlignedPsnr levin_psnr(View<const float> estimate, View<const float> sharp, Context& context) {
    require(estimate.rank() == 2 && estimate.shape() == sharp.shape(), Status::size_mismatch,
            "the estimate is ", to_string(estimate.shape()), " pixels, the sharp image ",
            to_string(sharp.shape()));
    require(std::min(sharp.rows(), sharp.columns()) > 2 * levin_border, Status::invalid_argument,
            "the Levin protocol needs at least 31 x 31 pixels, got ", to_string(sharp.shape()));
    for (Index i = 0; i < estimate.rows(); ++i)
        for (Index j = 0; j < estimate.columns(); ++j)
            require(std::isfinite(estimate(i, j)), Status::invalid_argument, "the estimate at row ", i,
                    ", column ", j, " is ", estimate(i, j), ", expected a finite number");

    const Comparison comparison{estimate, sharp};
    std::vector<Gram> grams(bases * bases);
    parallel_for(context, bases * bases, [&](Index item, int) {
        grams[item] = gram_of(comparison, item / bases - levin_max_shift, item % bases - levin_max_shift);
    });

    const std::vector<AxisShift> shifts = axis_shifts();
    double least = std::numeric_limits<double>::infinity();
    AxisShift best_row{}, best_column{};
    for (const AxisShift& a : shifts)
        for (const AxisShift& b : shifts) {
            const Gram& gram = grams[(a.base + levin_max_shift) * bases + b.base + levin_max_shift];
            const double error = squared_error(gram, bilinear_weights(a.fraction, b.fraction));
            if (error >= least) continue;
            least = error;
            best_row = a;
            best_column = b;
        }
    const double pixels = static_cast<double>(comparison.rows() * comparison.columns());
    return {10 * std::log10(pixels / squared_error(comparison, best_row, best_column)), best_row.value(),
            best_column.value()};
}

LevinEvaluation evaluate_levin(const std::string& folder, const DeblurFunction& deblur,
                               const LevinOptions& options) {
    const LevinSet set = read_levin_set(folder);
    Context context(make_openmp_runner(options.threads));
    LevinEvaluation evaluation;
    evaluation.sigma = options.sigma;
    const auto begin = Context::Clock::now();
    for (Index i = 0; i < LevinSet::images; ++i)
        for (Index k = 0; k < LevinSet::kernels; ++k) {
            const Array<float>&blurred = set.blurred_image(i, k), &sharp = set.sharp[i];
            LevinResult result{i + 1, k + 1, levin_psnr(blurred, sharp, context), {}, 0};
            try {
                const auto start = Context::Clock::now();
                const Array<float> estimate = deblur(blurred, set.kernel[k], options.sigma);
                result.seconds = std::chrono::duration<double>(Context::Clock::now() - start).count();
                result.estimate = levin_psnr(estimate, sharp, context);
            } catch (const Error& error) {
                throw Error(error.status(),
                            sentence(folder, ": image ", i + 1, ", kernel ", k + 1, ": ", error.what()));
            }
            evaluation.at_the_limit += result.estimate.at_the_limit() ? 1 : 0;
            evaluation.results.push_back(result);

            const auto done = static_cast<Index>(evaluation.results.size());
            constexpr Index total = LevinSet::images * LevinSet::kernels;
            const double elapsed = std::chrono::duration<double>(Context::Clock::now() - begin).count();
            if (options.progress &&
                !options.progress({"evaluating", done, total,
                                   elapsed * static_cast<double>(total - done) / static_cast<double>(done)}))
                fail(Status::cancelled, folder, ": cancelled after ", done, " of ", total, " images");
        }
    for (Index k = 1; k <= LevinSet::kernels; ++k)
        evaluation.kernels.push_back(mean_of(evaluation.results, k));
    evaluation.mean = mean_of(evaluation.results, 0);
    evaluation.protocol = fmt::format(
        "Levin et al. 2009, 4 images x 8 kernels, true kernels, sigma {:g} (white = 255); border of {} "
        "pixels left "
        "out, best of all shifts within {} pixels in steps of {:g}, not clipped; mean of the PSNR of each "
        "image",
        evaluation.sigma, levin_border, levin_max_shift, 1.0 / levin_shift_steps);
    return evaluation;
}

std::string to_csv(const LevinEvaluation& evaluation) {
    std::string csv = "image,kernel,sigma,blurred_psnr_db,psnr_db,row_shift,column_shift,seconds\n";
    for (const LevinResult& r : evaluation.results)
        fmt::format_to(std::back_inserter(csv), "im{},kernel{},{:g},{:.6f},{:.6f},{:g},{:g},{:.6f}\n",
                       r.image, r.kernel, evaluation.sigma, r.blurred.psnr, r.estimate.psnr,
                       r.estimate.row_shift, r.estimate.column_shift, r.seconds);
    fmt::format_to(std::back_inserter(csv), "mean,,{:g},{:.6f},{:.6f},,,{:.6f}\n", evaluation.sigma,
                   evaluation.mean.blurred.psnr, evaluation.mean.estimate.psnr, evaluation.mean.seconds);
    return csv;
}

std::vector<std::vector<std::string>> levin_table(const LevinEvaluation& evaluation) {
    std::vector<std::vector<std::string>> table{{"PSNR"}, {"blurred"}};
    for (const LevinResult& kernel : evaluation.kernels) {
        table[0].push_back(fmt::format("kernel {}", kernel.kernel));
        table[1].push_back(fmt::format("{:.2f}", kernel.blurred.psnr));
    }
    table[0].push_back("mean");
    table[1].push_back(fmt::format("{:.2f}", evaluation.mean.blurred.psnr));
    const std::size_t kernels = evaluation.kernels.size();
    for (std::size_t i = 0; i < evaluation.results.size(); i += kernels) {
        std::vector<std::string> row{fmt::format("image {}", evaluation.results[i].image)};
        double sum = 0;
        for (std::size_t k = 0; k < kernels; ++k) {
            row.push_back(fmt::format("{:.2f}", evaluation.results[i + k].estimate.psnr));
            sum += evaluation.results[i + k].estimate.psnr;
        }
        row.push_back(fmt::format("{:.3f}", sum / static_cast<double>(kernels)));
        table.push_back(std::move(row));
    }
    table.push_back({"mean"});
    for (const LevinResult& kernel : evaluation.kernels)
        table.back().push_back(fmt::format("{:.2f}", kernel.estimate.psnr));
    table.back().push_back(fmt::format("{:.3f}", evaluation.mean.estimate.psnr));
    return table;
}

}  // namespace sonolux
