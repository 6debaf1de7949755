// sonolux/sdk/pipelines/demo_tables.cpp
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/pipelines/demo.hpp>

namespace sonolux {

std::vector<std::vector<std::string>> lens_table(const DemoSummary& summary) {
    std::vector<std::vector<std::string>> table{
        {"lens", "method", "PSNR", "sRGB PSNR", "angle", "CIEDE2000"}};
    for (const std::vector<LensResult>& lens : summary.lenses)
        for (const LensResult& r : lens)
            table.push_back({lens.back().method, &r == &lens.back() ? "network" : r.method,
                             fmt::format("{:.2f}", r.psnr), fmt::format("{:.2f}", r.srgb_psnr),
                             fmt::format("{:.2f}", r.angle), fmt::format("{:.2f}", r.difference)});
    return table;
}

std::vector<std::vector<std::string>> demo_table(const DemoSummary& summary) {
    const bool truth_known = !summary.results.empty() && summary.results.front().truth_known;
    if (!truth_known) {
        std::vector<std::vector<std::string>> table{{"image", "size", "sigma", "model", "ms"}};
        for (const DemoResult& r : summary.results)
            table.push_back({r.name, fmt::format("{} x {} x {}", r.channels, r.rows, r.columns),
                             fmt::format("{:g}", r.sigma), r.model, fmt::format("{:.1f}", 1e3 * r.seconds)});
        return table;
    }
    const bool any_sigma = std::any_of(summary.results.begin(), summary.results.end(),
                                       [](const DemoResult& r) { return std::isfinite(r.any_sigma_psnr); });
    auto number = [](double value, int digits) {
        return std::isnan(value) ? std::string("-") : fmt::format("{:.{}f}", value, digits);
    };
    std::vector<std::vector<std::string>> table{
        {"photograph", "size", "sigma", "noisy PSNR", "PSNR", "noisy SSIM", "SSIM", "any-sigma PSNR", "ms"}};
    DemoResult sum;
    int in_sum = 0;
    for (std::size_t i = 0; i < summary.results.size(); ++i) {
        const DemoResult& r = summary.results[i];
        table.push_back({r.name, fmt::format("{} x {}", r.rows, r.columns), fmt::format("{:g}", r.sigma),
                         number(r.noisy.psnr, 2), number(r.denoised.psnr, 2), number(r.noisy.ssim, 3),
                         number(r.denoised.ssim, 3), number(r.any_sigma_psnr, 2),
                         number(1e3 * r.seconds, 1)});
        ++in_sum;
        for (double Quality::*part : {&Quality::psnr, &Quality::ssim}) {
            sum.noisy.*part += r.noisy.*part;
            sum.denoised.*part += r.denoised.*part;
        }
        sum.any_sigma_psnr += r.any_sigma_psnr;
        sum.seconds += r.seconds;
        const bool last_of_level = i + 1 == summary.results.size() || summary.results[i + 1].sigma != r.sigma;
        if (!last_of_level) continue;
        if (in_sum > 1)
            table.push_back({"mean", "", fmt::format("{:g}", r.sigma), number(sum.noisy.psnr / in_sum, 2),
                             number(sum.denoised.psnr / in_sum, 2), number(sum.noisy.ssim / in_sum, 3),
                             number(sum.denoised.ssim / in_sum, 3), number(sum.any_sigma_psnr / in_sum, 2),
                             number(1e3 * sum.seconds / in_sum, 1)});
        sum = {};
        in_sum = 0;
    }
    if (!any_sigma)
        for (auto& row : table) row.erase(row.begin() + 7);
    return table;
}

}  // namespace sonolux
