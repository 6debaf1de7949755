// sonolux/sdk/pipelines/comparison.cpp
#include <sonolux/sdk/pipelines/comparison.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/files/figure.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>

namespace sonolux {
namespace {

// The middle of a plane or a stack, copied so that it is contiguous.
Array<float> middle(View<const float> image, Index most) {
    const Index channels = image.rank() == 3 ? image.size(0) : 1;
    const Index rows = std::min(image.rows(), most), columns = std::min(image.columns(), most);
    const Index top = (image.rows() - rows) / 2, left = (image.columns() - columns) / 2;
    Array<float> crop(image.rank() == 3 ? Shape{channels, rows, columns} : Shape{rows, columns});
    for (Index c = 0; c < channels; ++c) {
        const View<const float> plane = image.rank() == 3 ? image[c] : image;
        for (Index i = 0; i < rows; ++i)
            std::copy_n(plane.row(top + i) + left, columns, crop.data() + (c * rows + i) * columns);
    }
    return crop;
}

// 255 (a - b) of the mean over channels, [rows, columns].
Array<float> difference(const Array<float>& a, const Array<float>& b) {
    const Index rows = a.view().rows(), columns = a.view().columns(), plane = rows * columns;
    const Index channels = a.elements() / plane;
    Array<float> difference({rows, columns});
    for (Index p = 0; p < plane; ++p) {
        double sum = 0;
        for (Index c = 0; c < channels; ++c) sum += double{a.data()[c * plane + p]} - b.data()[c * plane + p];
        difference.data()[p] = static_cast<float>(255 * sum / static_cast<double>(channels));
    }
    return difference;
}

// A panel whose colours reach three standard deviations, rounded up to fives.
Panel difference_panel(const char* caption, const Array<float>& difference) {
    double squares = 0;
    for (float value : difference) squares += double{value} * value;
    const double deviation = std::sqrt(squares / static_cast<double>(difference.elements()));
    const double bound = std::max(5.0, 5 * std::ceil(3 * deviation / 5));
    return {caption, difference, -bound, bound, ColourMap::diverging, 1, true, "grey levels"};
}

// The kernel in a white frame, as large as a third of the picture at most, over its upper left corner.
void draw_in(Array<float>& picture, View<const float> kernel) {
    const Index rows = kernel.rows(), columns = kernel.columns();
    const Index room = std::min(picture.view().rows(), picture.view().columns()) / 3;
    const Index magnification = (room - 2) / std::max(rows, columns);
    if (magnification < 1) return;
    float largest = 0;
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) largest = std::max(largest, kernel(i, j));
    for (Index i = -1; i <= rows * magnification; ++i)
        for (Index j = -1; j <= columns * magnification; ++j) {
            const bool inside = i >= 0 && i < rows * magnification && j >= 0 && j < columns * magnification;
            picture(i + 1, j + 1) = inside ? kernel(i / magnification, j / magnification) / largest : 1.0F;
        }
}

std::string decibels(double psnr) { return std::isfinite(psnr) ? fmt::format("{:.2f} dB", psnr) : "equal"; }

// Wide images go in two rows, so that a page holds them.
Canvas side_by_side(std::span<const Panel> panels, const std::string& title) {
    const bool wide = panels[0].values.columns() > 300;
    return draw_panels(panels, {title, wide ? 2 : static_cast<int>(panels.size())});
}

}  // namespace

Canvas draw_comparison(View<const float> truth, View<const float> noisy, View<const float> denoised,
                       const std::string& title, Index most) {
    const Quality before = measure(noisy, truth), after = measure(denoised, truth);
    const Array<float> truth_part = middle(truth, most), noisy_part = middle(noisy, most),
                       denoised_part = middle(denoised, most), error = difference(denoised_part, truth_part);
    const std::array panels{Panel{"truth", truth_part},
                            Panel{fmt::format("noisy: {}", decibels(before.psnr)), noisy_part},
                            Panel{fmt::format("denoised: {}", decibels(after.psnr)), denoised_part},
                            difference_panel("error", error)};
    return side_by_side(panels, title);
}

Canvas draw_before_after(View<const float> noisy, View<const float> denoised, const std::string& title,
                         Index most) {
    const Array<float> before = middle(noisy, most), after = middle(denoised, most),
                       removed = difference(before, after);
    const std::array panels{Panel{"as it was", before}, Panel{"denoised", after},
                            difference_panel("taken away", removed)};
    return side_by_side(panels, title);
}

Canvas draw_deblurring(View<const float> truth, View<const float> blurred, View<const float> kernel,
                       View<const float> total_variation, View<const float> deblurred,
                       const std::string& title, Index most) {
    const auto caption = [&](const char* what, View<const float> image) {
        return fmt::format("{}: {}", what, decibels(measure(image, truth).psnr));
    };
    Array<float> blurred_part = middle(blurred, most);
    draw_in(blurred_part, kernel);
    const Array<float> truth_part = middle(truth, most), variation_part = middle(total_variation, most),
                       deblurred_part = middle(deblurred, most);
    const std::array panels{Panel{"truth", truth_part}, Panel{caption("blurred", blurred), blurred_part},
                            Panel{caption("total variation", total_variation), variation_part},
                            Panel{caption("network", deblurred), deblurred_part}};
    return side_by_side(panels, title);
}

}  // namespace sonolux
