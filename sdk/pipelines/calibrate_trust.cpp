// sonolux/sdk/pipelines/calibrate_trust.cpp
#include <sonolux/sdk/pipelines/calibrate_trust.hpp>
#include <sonolux/sdk/pipelines/median.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <Eigen/Dense>

namespace sonolux {

namespace {

constexpr auto pixel_count = static_cast<int>(trust_pixel_features);
constexpr auto frame_count = static_cast<int>(trust_frame_features);
constexpr double interval_share = 0.9;

using PixelVector = Eigen::Matrix<double, pixel_count, 1>;
using PixelMatrix = Eigen::Matrix<double, pixel_count, pixel_count>;
using FrameVector = Eigen::Matrix<double, frame_count, 1>;
using FrameMatrix = Eigen::Matrix<double, frame_count, frame_count>;

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    const auto rank =
        static_cast<std::size_t>(std::clamp(std::ceil(share * static_cast<double>(values.size())) - 1, 0.0,
                                            static_cast<double>(values.size() - 1)));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank), values.end());
    return values[rank];
}

PixelVector features_of(const TrustFrame& frame, Index p) {
    PixelVector f;
    const Index pixels = frame.errors.elements();
    for (int k = 0; k < pixel_count; ++k) f(k) = double{frame.features.data()[k * pixels + p]};
    return f;
}

/// argmin over b of the mean of b.f + |e| exp(-b.f) + ridge |b - b0|^2 / 2, by Newton's method: convex. The
/// pull towards a uniform deviation b0 stands for how few independent errors a handful of maps has.
PixelVector fit_deviation(std::span<const TrustFrame* const> frames) {
    constexpr double ridge = 3e-3;
    constexpr Index every = 3;  // neighbours err alike
    constexpr int most_steps = 50;
    double magnitude = 0, count = 0;
    for (const TrustFrame* frame : frames)
        for (Index p = 0; p < frame->errors.elements(); p += every) {
            magnitude += std::abs(double{frame->errors.data()[p]});
            ++count;
        }
    PixelVector start = PixelVector::Zero();
    start(0) = std::log(std::max(magnitude / count, 0.01));
    const auto objective = [&](const PixelVector& b, PixelVector* gradient, PixelMatrix* hessian) {
        double sum = 0;
        for (const TrustFrame* frame : frames)
            for (Index p = 0; p < frame->errors.elements(); p += every) {
                const PixelVector f = features_of(*frame, p);
                const double exponent = std::clamp(b.dot(f), -20.0, 20.0);
                const double weighted = std::abs(double{frame->errors.data()[p]}) * std::exp(-exponent);
                sum += exponent + weighted;
                if (gradient == nullptr) continue;
                *gradient += f * (1 - weighted);
                hessian->selfadjointView<Eigen::Lower>().rankUpdate(f, weighted);
            }
        return sum / count + 0.5 * ridge * (b - start).squaredNorm();
    };
    PixelVector b = start;
    for (int step = 0; step < most_steps; ++step) {
        PixelVector gradient = PixelVector::Zero();
        PixelMatrix hessian = PixelMatrix::Zero();
        const double here = objective(b, &gradient, &hessian);
        gradient = (gradient / count + ridge * (b - start)).eval();
        PixelMatrix whole = hessian.selfadjointView<Eigen::Lower>();
        whole /= count;
        whole.diagonal().array() += ridge;
        const PixelVector direction = whole.ldlt().solve(gradient);
        double length = 1;
        while (length > 1e-4 && objective(b - length * direction, nullptr, nullptr) >
                                    here - 0.1 * length * gradient.dot(direction))
            length *= 0.5;
        b -= length * direction;
        if (gradient.dot(direction) < 1e-8) break;
    }
    return b;
}

Array<float> deviation_of(const PixelVector& b, const TrustFrame& frame) {
    TrustCalibration calibration;
    for (int k = 0; k < pixel_count; ++k) calibration.deviation[static_cast<std::size_t>(k)] = b(k);
    Array<float> deviation(frame.errors.shape());
    trust_deviation(calibration, frame.features, deviation);
    return deviation;
}

/// What deviations are multiplied by so that intervals hold their share of the errors.
double scale_of(std::span<const Array<float>> deviations, std::span<const Array<float>> errors) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < errors.size(); ++i)
        for (Index p = 0; p < errors[i].elements(); ++p)
            ratios.push_back(std::abs(double{errors[i].data()[p]}) / double{deviations[i].data()[p]});
    return std::max(quantile(std::move(ratios), interval_share) / normal_interval(interval_share), 1e-6);
}

/// Centre and whitener; the limit is not theirs to know.
void fit_score(std::span<const TrustFrame* const> frames, TrustCalibration& calibration) {
    // Least deviations of each feature that count as another frame: 20 m/s, 3 % of the delays, 10 %.
    FrameVector least = FrameVector::Constant(0.1);
    least(0) = 0.2;
    least(1) = 0.03;
    FrameVector centre = FrameVector::Zero();
    double count = 0;
    const auto vector_of = [](const TrustFrame& frame) {
        return FrameVector(Eigen::Map<const FrameVector>(frame.frame.values.data()));
    };
    for (const TrustFrame* frame : frames)
        if (frame->of_score) {
            centre += vector_of(*frame);
            ++count;
        }
    centre /= count;
    const double shrinkage = frame_count / (count + frame_count);  // of correlations: there are few frames
    FrameMatrix covariance = FrameMatrix::Zero();
    for (const TrustFrame* frame : frames)
        if (frame->of_score) {
            const FrameVector less = vector_of(*frame) - centre;
            covariance += less * less.transpose() / (count - 1);
        }
    const FrameVector variances = covariance.diagonal();
    covariance *= 1 - shrinkage;
    covariance.diagonal() = variances + least.cwiseAbs2();
    const FrameMatrix lower = covariance.llt().matrixL();
    const FrameMatrix inverse = lower.triangularView<Eigen::Lower>().solve(FrameMatrix::Identity().eval());
    for (int i = 0; i < frame_count; ++i) {
        calibration.centre[static_cast<std::size_t>(i)] = centre(i);
        for (int j = 0; j < frame_count; ++j)
            calibration.whitener[static_cast<std::size_t>(i * frame_count + j)] = inverse(i, j);
    }
}

}  // namespace

double normal_interval(double share) {
    double low = 0, high = 10;  // by bisection of the error function
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (low + high);
        (std::erf(middle / std::sqrt(2.0)) < share ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

Reliability reliability_of(std::span<const Array<float>> deviations, std::span<const Array<float>> errors) {
    Reliability reliability;
    std::vector<std::pair<double, double>> all;  // stated, error
    for (std::size_t i = 0; i < errors.size(); ++i) {
        const double z = normal_interval(interval_share);
        Index inside = 0;
        for (Index p = 0; p < errors[i].elements(); ++p) {
            const double stated = double{deviations[i].data()[p]}, error = double{errors[i].data()[p]};
            all.emplace_back(stated, error);
            inside += std::abs(error) <= z * stated;
        }
        reliability.by_frame.push_back(static_cast<double>(inside) /
                                       static_cast<double>(errors[i].elements()));
    }
    if (all.empty()) return reliability;
    for (const double share : {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}) {
        const double z = normal_interval(share);
        const auto inside = std::ranges::count_if(
            all, [&](const auto& one) { return std::abs(one.second) <= z * one.first; });
        reliability.stated.push_back(share);
        reliability.covered.push_back(static_cast<double>(inside) / static_cast<double>(all.size()));
        if (share == interval_share) reliability.at_90 = reliability.covered.back();
    }
    std::ranges::sort(all);
    constexpr std::size_t parts = 10;
    for (std::size_t part = 0; part < parts; ++part) {
        double stated = 0, squares = 0;
        const std::size_t first = part * all.size() / parts, last = (part + 1) * all.size() / parts;
        for (std::size_t i = first; i < last; ++i) {
            stated += all[i].first * all[i].first;
            squares += all[i].second * all[i].second;
        }
        const auto n = static_cast<double>(std::max<std::size_t>(last - first, 1));
        reliability.decile_stated.push_back(std::sqrt(stated / n));
        reliability.decile_rms.push_back(std::sqrt(squares / n));
        reliability.spread += std::abs(std::log(std::max(reliability.decile_rms.back(), 1e-6) /
                                                std::max(reliability.decile_stated.back(), 1e-6))) /
                              static_cast<double>(parts);
    }
    return reliability;
}

TrustFit fit_trust(std::span<const TrustFrame> frames, Index folds) {
    std::vector<Index> groups;
    for (const TrustFrame& frame : frames)
        if (frame.of_score) groups.push_back(frame.group);
    std::ranges::sort(groups);
    const auto repeated = std::ranges::unique(groups);
    groups.erase(repeated.begin(), repeated.end());
    require(groups.size() >= 8, Status::invalid_argument, "a calibration needs at least 8 frames, got ",
            groups.size());
    folds = std::clamp<Index>(folds, 2, std::ssize(groups));
    TrustFit fit;
    std::vector<Array<float>> deviations, errors;
    std::vector<double> distances, likenesses;
    for (Index fold = 0; fold < folds; ++fold) {
        std::vector<const TrustFrame*> others;
        for (const TrustFrame& frame : frames)
            if (frame.group % folds != fold) others.push_back(&frame);
        const PixelVector b = fit_deviation(others);
        TrustCalibration of_others;
        fit_score(others, of_others);
        for (const TrustFrame& frame : frames) {
            if (frame.group % folds != fold) continue;
            deviations.push_back(deviation_of(b, frame));
            errors.emplace_back(frame.errors.shape());
            std::copy(frame.errors.begin(), frame.errors.end(), errors.back().begin());
            if (frame.of_score) {
                distances.push_back(trust_distance(of_others, frame.frame).from_frames);
                likenesses.push_back(noise_likeness(frame.frame));
            }
        }
    }
    const double scale = scale_of(deviations, errors);
    for (Array<float>& deviation : deviations)
        for (float& value : deviation) value *= static_cast<float>(scale);
    fit.held_out = reliability_of(deviations, errors);

    std::vector<const TrustFrame*> all;
    for (const TrustFrame& frame : frames) all.push_back(&frame);
    const PixelVector b = fit_deviation(all);
    for (int k = 0; k < pixel_count; ++k)
        fit.calibration.deviation[static_cast<std::size_t>(k)] = b(k) + (k == 0 ? std::log(scale) : 0.0);
    fit_score(all, fit.calibration);
    fit.calibration.limit = std::max(quantile(distances, 0.95), 1e-3);
    fit.calibration.noise_centre = median(likenesses);
    fit.calibration.noise_limit = std::max(quantile(likenesses, 0.95) - fit.calibration.noise_centre, 0.1);
    for (std::size_t i = 0; i < distances.size(); ++i)
        fit.held_out_scores.push_back(trust_score(
            fit.calibration,
            {distances[i], (likenesses[i] - fit.calibration.noise_centre) / fit.calibration.noise_limit}));
    return fit;
}

double roc_area(std::span<const double> good, std::span<const double> bad) {
    if (good.empty() || bad.empty()) return 0.5;
    double wins = 0;
    for (const double g : good)
        for (const double b : bad) wins += g > b ? 1 : g == b ? 0.5 : 0;
    return wins / (static_cast<double>(good.size()) * static_cast<double>(bad.size()));
}

}  // namespace sonolux
