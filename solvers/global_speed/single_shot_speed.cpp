// sonolux/solvers/global_speed/single_shot_speed.cpp
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/core/acoustics/transmit_field.hpp>
#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/solvers/global_speed/analytic_channels.hpp>
#include <sonolux/solvers/global_speed/candidate_fit.hpp>
#include <sonolux/solvers/global_speed/single_shot_speed.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr const char* who = "single-shot speed";
constexpr Index parts_across = 4, parts_down = 4, parts = parts_across * parts_down;  // of the jackknife
constexpr Index fewest_elements = 8, fewest_pixels = 100;

/// Where the echo that reaches the array at x at `time` comes from, if sound has `speed`: the depth z with
/// transmit(x, z) + z / speed = time, by Newton's method with a secant. NaN where it does not converge.
double echo_depth(const TransmitField& field, double x, double time, double speed, double guess) noexcept {
    double z = guess;
    for (int step = 0; step < 20; ++step) {
        const double h = 1e-6, here = field.time({x, z}) + z / speed - time;
        const double slope = (field.time({x, z + h}) + (z + h) / speed - time - here) / h;
        if (!(slope > 0)) return nan;
        const double change = here / slope;
        z -= change;
        if (std::abs(change) < 1e-9) return z;
    }
    return nan;
}

/// Depth over width of the aperture in which elements hear at least half of what they hear straight ahead.
double directivity_f_number(double width, double wavelength) noexcept {
    const auto heard = [&](double sine) {
        const double u = std::numbers::pi * width * sine / wavelength;
        return (u > 0 ? std::sin(u) / u : 1) * std::sqrt(1 - sine * sine);
    };
    double near = 0, far = std::min(1.0, wavelength / width);  // heard falls from 1 to 0 between them
    for (int step = 0; step < 60; ++step) (heard(0.5 * (near + far)) > 0.5 ? near : far) = 0.5 * (near + far);
    return std::max(0.5, 0.5 * std::sqrt(1 - near * near) / near);
}

}  // namespace

struct SingleShotSpeedEstimator::Plan {
    struct Pixel {
        double x, time, depth;  ///< for the middle speed
        Index first, count;     ///< elements
        Index part;             ///< of the jackknife
    };

    SingleShotSpeedOptions options;
    Index elements, samples;
    std::vector<double> element_x, element_z;
    std::vector<double> candidates;
    std::vector<TransmitField> fields;  // of the candidates
    double middle_speed, start;
    std::vector<Pixel> pixels;
    AnalyticChannels channels;
    std::vector<std::unique_ptr<ComplexLineFft>> transforms;  // of threads

    [[nodiscard]] Index count() const noexcept { return static_cast<Index>(candidates.size()); }
    [[nodiscard]] Index length() const noexcept { return transforms.front()->length(); }

    void look(std::size_t candidate, const Pixel& pixel, ComplexLineFft& transform, std::complex<float>* a,
              std::complex<float>* b, float& coherence, float& brightness) const noexcept;
};

/// sum over l of |A(l)| / A(0), and the mean amplitude; 0 where too little was recorded.
void SingleShotSpeedEstimator::Plan::look(std::size_t candidate, const Pixel& pixel,
                                          ComplexLineFft& transform, std::complex<float>* a,
                                          std::complex<float>* b, float& coherence,
                                          float& brightness) const noexcept {
    coherence = brightness = 0;
    const double speed = candidates[candidate];
    const double z =
        echo_depth(fields[candidate], pixel.x, pixel.time, speed, pixel.depth * speed / middle_speed);
    if (!(z > 0)) return;
    const double sent = pixel.time - z / speed - start;
    double amplitude = 0;
    Index heard = 0;
    for (Index n = 0; n < pixel.count; ++n) {
        const Index e = pixel.first + n;
        const auto i = static_cast<std::size_t>(e);
        const double time = sent + std::hypot(pixel.x - element_x[i], z - element_z[i]) / speed;
        std::complex<float> s = channels(e, time);
        if (s != std::complex<float>{}) {
            // The phase at `time` against that at the pixel: turns of the carrier that all share do not
            // count.
            const auto turn =
                static_cast<float>(std::remainder(channels.turning() * time, 2 * std::numbers::pi));
            const float c = std::cos(turn), q = std::sin(turn);
            s = {s.real() * c - s.imag() * q, s.real() * q + s.imag() * c};
            amplitude += static_cast<double>(std::sqrt(std::norm(s)));
            ++heard;
        }
        a[n] = s;
    }
    if (heard < fewest_elements) return;
    std::fill(a + pixel.count, a + length(), std::complex<float>{});
    transform.forward(a, b);
    for (Index k = 0; k < length(); ++k) b[k] = std::norm(b[k]);
    transform.inverse(b, a);
    double sum = 0;
    for (Index k = 0; k < length(); ++k) sum += static_cast<double>(std::sqrt(std::norm(a[k])));
    coherence = a[0].real() > 0 ? static_cast<float>(sum / static_cast<double>(a[0].real())) : 0.0f;
    brightness = static_cast<float>(amplitude / static_cast<double>(heard));
}

SingleShotSpeedEstimator::SingleShotSpeedEstimator(const Acquisition& acquisition, Index transmission,
                                                   const SingleShotSpeedOptions& options, Context& context) {
    validate(acquisition, who);
    require(transmission >= 0 && transmission < acquisition.sent(), invalid, who, ": transmission ",
            transmission + 1, " is not among ", acquisition.sent());
    const auto within = [](const char* name, double value, double least, double most) {
        require(value >= least && value <= most, invalid, who, ": ", name, " must be between ", least,
                " and ", most, ", got ", value);
    };
    within("lowest", options.lowest, 100, 10000);
    within("highest", options.highest, options.lowest, 10000);
    within("step", options.step, 0.1, 500);
    const double number = std::floor((options.highest - options.lowest) / options.step + 1e-9) + 1;
    require(number >= 5 && number <= 10000, invalid, who, ": needs 5 to 10000 candidates; from ",
            options.lowest, " to ", options.highest, " m/s in steps of ", options.step, " there are ",
            number);
    within("fit_width", options.fit_width, 1.5 * options.step, 1000);
    within("first_depth", options.first_depth, 0, 1);
    require(options.last_depth > options.first_depth && options.last_depth <= 1, invalid, who,
            ": last_depth must be above first_depth and at most 1 m, got ", options.last_depth);
    require(options.rows >= 8 && options.columns >= 8 && options.rows <= 4096 && options.columns <= 4096,
            invalid, who, ": rows and columns must be between 8 and 4096, got ", options.rows, " x ",
            options.columns);
    if (options.f_number != 0) within("f_number", options.f_number, 0.1, 100);
    within("brightest", options.brightest, 0.01, 1);

    std::vector<double> candidates;
    std::vector<TransmitField> fields;
    const Transmission& sent = acquisition.transmissions[static_cast<std::size_t>(transmission)];
    for (double n = 0; n < number; ++n) {
        candidates.push_back(options.lowest + n * options.step);
        fields.emplace_back(sent, acquisition.array, candidates.back(), acquisition.centre_frequency);
    }
    const double middle = 0.5 * (candidates.front() + candidates.back());
    const TransmitField field(sent, acquisition.array, middle, acquisition.centre_frequency);

    const double f_number =
        options.f_number > 0
            ? options.f_number
            : directivity_f_number(acquisition.array.element_width(), middle / acquisition.centre_frequency);

    std::vector<double> element_x, element_z;
    for (const ArrayElement& e : acquisition.array.elements()) {
        element_x.push_back(e.position.x);
        element_z.push_back(e.position.z);
    }
    const double start = acquisition.focusing_start(transmission);
    const double last = start + static_cast<double>(acquisition.samples - 1) / acquisition.sampling_frequency;
    const double left = *std::min_element(element_x.begin(), element_x.end());
    const double right = *std::max_element(element_x.begin(), element_x.end());
    std::vector<Plan::Pixel> pixels;
    for (Index i = 0; i < options.rows; ++i)
        for (Index j = 0; j < options.columns; ++j) {
            const auto share = [](Index n, Index of) {
                return static_cast<double>(n) / static_cast<double>(of - 1);
            };
            const Point p{
                left + (right - left) * share(j, options.columns),
                options.first_depth + (options.last_depth - options.first_depth) * share(i, options.rows)};
            if (!field.ray(p).inside) continue;
            const double time = field.time(p) + p.z / middle, half = 0.5 * p.z / f_number;
            if (!(time > start) || !(time + (std::hypot(half, p.z) - p.z) / middle < last)) continue;
            Plan::Pixel pixel{
                p.x, time,
                p.z, -1,
                0,   (i * parts_down / options.rows) * parts_across + j * parts_across / options.columns};
            for (std::size_t e = 0; e < element_x.size(); ++e)
                if (std::abs(element_x[e] - p.x) <= half) {
                    if (pixel.first < 0) pixel.first = static_cast<Index>(e);
                    pixel.count = static_cast<Index>(e) - pixel.first + 1;
                }
            if (pixel.count >= fewest_elements) pixels.push_back(pixel);
        }
    require(static_cast<Index>(pixels.size()) >= fewest_pixels, invalid, who, ": ", pixels.size(), " of ",
            options.rows * options.columns, " pixels between ", 1e3 * options.first_depth, " and ",
            1e3 * options.last_depth, " mm are reached by transmission ", transmission + 1,
            " and recorded (from ", 1e6 * start, " to ", 1e6 * last, " us), needs at least ", fewest_pixels);
    Index longest = 0;
    for (const Plan::Pixel& pixel : pixels) longest = std::max(longest, pixel.count);
    Index length = 16;
    while (length < 2 * longest) length *= 2;  // so that no lag wraps around
    std::vector<std::unique_ptr<ComplexLineFft>> transforms;
    for (int t = 0; t < context.threads(); ++t) transforms.push_back(make_complex_line_fft(length));
    plan_ = std::make_unique<Plan>(
        Plan{options, acquisition.array.size(), acquisition.samples, std::move(element_x),
             std::move(element_z), std::move(candidates), std::move(fields), middle, start, std::move(pixels),
             AnalyticChannels(acquisition, options.low * acquisition.centre_frequency,
                              options.high * acquisition.centre_frequency),
             std::move(transforms)});
}

SingleShotSpeedEstimator::~SingleShotSpeedEstimator() = default;
SingleShotSpeedEstimator::SingleShotSpeedEstimator(SingleShotSpeedEstimator&&) noexcept = default;
SingleShotSpeedEstimator& SingleShotSpeedEstimator::operator=(SingleShotSpeedEstimator&&) noexcept = default;

std::size_t SingleShotSpeedEstimator::workspace_bytes(const Context& context) const noexcept {
    const Index pixels = static_cast<Index>(plan_->pixels.size());
    return plan_->channels.workspace_bytes(context) + 2 * Workspace::bytes<float>(plan_->count() * pixels) +
           2 * Workspace::bytes<float>(pixels) + Workspace::bytes<double>(plan_->count() * (parts + 1)) +
           static_cast<std::size_t>(context.threads()) *
               Workspace::bytes<std::complex<float>>(2 * plan_->length());
}

SingleShotSpeed SingleShotSpeedEstimator::make_result() const {
    SingleShotSpeed result;
    result.candidates.resize(plan_->candidates.size());
    result.coherence.resize(plan_->candidates.size());
    return result;
}

Status SingleShotSpeedEstimator::run(View<const float> channels, SingleShotSpeed& result,
                                     Context& context) noexcept {
    Plan& plan = *plan_;
    const Index pixels = static_cast<Index>(plan.pixels.size()), count = plan.count();
    result.found = false;
    result.sound_speed = result.standard_error = nan;
    result.pixels = 0;
    if (channels.shape() != Shape{plan.elements, plan.samples} ||
        result.candidates.size() != plan.candidates.size() ||
        result.coherence.size() != plan.candidates.size())
        return Status::size_mismatch;
    if (static_cast<int>(plan.transforms.size()) < context.threads()) return Status::invalid_argument;
    plan.channels.run(channels, context);
    if (2 * plan.channels.living() < plan.elements) return Status::invalid_argument;

    Scratch scratch(context.workspace());
    float* coherence = scratch.take<float>(count * pixels);  // [candidate, pixel]
    float* brightness = scratch.take<float>(count * pixels);
    const Index share =
        Workspace::bytes<std::complex<float>>(2 * plan.length()) / sizeof(std::complex<float>);
    auto* memory = scratch.take<std::complex<float>>(share * context.threads());
    constexpr Index run_length = 256;
    const Index runs = (pixels + run_length - 1) / run_length;
    parallel_for(context, count * runs, [&](Index item, int thread) {
        const Index candidate = item / runs, begin = item % runs * run_length;
        std::complex<float>* line = memory + thread * share;
        for (Index k = begin; k < std::min(pixels, begin + run_length); ++k)
            plan.look(static_cast<std::size_t>(candidate), plan.pixels[static_cast<std::size_t>(k)],
                      *plan.transforms[static_cast<std::size_t>(thread)], line, line + plan.length(),
                      coherence[candidate * pixels + k], brightness[candidate * pixels + k]);
    });

    // The same pixels for every candidate: those that all of them could read, and bright in the mean.
    float* bright = scratch.take<float>(pixels);
    float* sorted = scratch.take<float>(pixels);
    Index usable = 0;
    for (Index k = 0; k < pixels; ++k) {
        float sum = 0;
        bool everywhere = true;
        for (Index c = 0; c < count; ++c) {
            sum += brightness[c * pixels + k];
            everywhere = everywhere && coherence[c * pixels + k] > 0;
        }
        bright[k] = everywhere ? sum : -1.0f;
        if (everywhere) sorted[usable++] = sum;
    }
    if (usable < fewest_pixels) return Status::invalid_argument;
    const Index dropped =
        std::min(usable - 1, static_cast<Index>((1 - plan.options.brightest) * static_cast<double>(usable)));
    std::nth_element(sorted, sorted + dropped, sorted + usable);
    const float threshold = sorted[dropped];

    double* sums = scratch.take<double>(count * (parts + 1));  // [part, candidate], then all
    std::fill_n(sums, count * (parts + 1), 0.0);
    double* all = sums + count * parts;
    for (Index k = 0; k < pixels; ++k) {
        if (bright[k] < threshold) continue;
        ++result.pixels;
        double* part = sums + plan.pixels[static_cast<std::size_t>(k)].part * count;
        for (Index c = 0; c < count; ++c) {
            part[c] += static_cast<double>(coherence[c * pixels + k]);
            all[c] += static_cast<double>(coherence[c * pixels + k]);
        }
    }
    for (Index c = 0; c < count; ++c)
        result.coherence[static_cast<std::size_t>(c)] = all[c] / static_cast<double>(result.pixels);
    std::copy(plan.candidates.begin(), plan.candidates.end(), result.candidates.begin());
    result.sound_speed = best_candidate(plan.candidates, all, plan.options.fit_width);
    result.found = std::isfinite(result.sound_speed);

    double mean = 0, square = 0, used = 0;
    for (Index p = 0; p < parts; ++p) {
        double* part = sums + p * count;
        if (!(part[0] > 0)) continue;
        for (Index c = 0; c < count; ++c) part[c] = all[c] - part[c];
        const double without = best_candidate(plan.candidates, part, plan.options.fit_width);
        if (!std::isfinite(without)) continue;
        mean += without;
        square += without * without;
        ++used;
    }
    if (result.found && used > 1)
        result.standard_error = std::sqrt(std::max(0.0, (used - 1) / used * (square - mean * mean / used)));
    return Status::ok;
}

SingleShotSpeed single_shot_speed(const ChannelData& data, Index frame, Index transmission,
                                  const SingleShotSpeedOptions& options, Context& context) {
    validate(data, who);
    require(frame >= 0 && frame < data.frames(), invalid, who, ": frame ", frame, " is not among ",
            data.frames());
    SingleShotSpeedEstimator estimator(data.acquisition, transmission, options, context);
    context.workspace().reserve(estimator.workspace_bytes(context));
    SingleShotSpeed result = estimator.make_result();
    const Status status = estimator.run(data.frame(frame)[transmission], result, context);
    require(status == Status::ok, status, who, ": too few channels or pixels hold echoes");
    return result;
}

}  // namespace sonolux
