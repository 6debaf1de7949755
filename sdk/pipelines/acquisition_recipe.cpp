// sonolux/sdk/pipelines/acquisition_recipe.cpp
#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {

TransducerArray read_array(RecipeTable& recipe) {
    const std::string kind = recipe.one_of("array.kind", "linear", {"linear", "convex"});
    const Index elements = recipe.integer("array.elements", 128, 1, 4096);
    const double pitch = recipe.number("array.pitch", 0.3e-3, 1e-5, 5e-3);
    const double width = recipe.number("array.element_width", 0.9 * pitch, 1e-6, pitch);
    if (kind == "linear") return make_linear_array(elements, pitch, width);
    return make_convex_array(elements, pitch, width, recipe.number("array.radius", 60e-3, 2e-3, 1));
}

std::vector<Index> read_elements(RecipeTable& recipe, const std::string& key,
                                 const std::vector<double>& otherwise, const TransducerArray& array) {
    std::vector<Index> elements;
    for (const double number : recipe.numbers(key, otherwise)) {
        require(number == std::floor(number) && number >= 1 && number <= static_cast<double>(array.size()),
                Status::invalid_argument, recipe.where(key), " must be elements from 1 to ", array.size(),
                ", got ", number);
        elements.push_back(static_cast<Index>(number) - 1);
    }
    require(!elements.empty(), Status::invalid_argument, recipe.where(key),
            " must name at least one element");
    return elements;
}

std::vector<Transmission> read_transmissions(RecipeTable& recipe, const TransducerArray& array) {
    const std::string kind =
        recipe.one_of("transmit.kind", "elements", {"elements", "plane", "diverging", "focused"});
    std::vector<Transmission> transmissions;
    if (kind == "elements") {
        std::vector<double> all;
        for (Index n = 1; n <= array.size(); ++n) all.push_back(static_cast<double>(n));
        for (const Index element : read_elements(recipe, "transmit.elements", all, array))
            transmissions.push_back(single_element(array, element));
        return transmissions;
    }
    const double speed = recipe.number("transmit.sound_speed", 1540, 300, 10000);
    if (kind == "plane") {
        for (const double angle : recipe.numbers("transmit.angles", std::vector<double>{0.0}, -1.4, 1.4))
            transmissions.push_back(plane_wave(array, angle, speed));
    } else {
        const std::vector<Index> centres = read_elements(
            recipe, "transmit.centres", {std::ceil(static_cast<double>(array.size()) / 2)}, array);
        const double distance = recipe.number("transmit.distance", kind == "focused" ? 20e-3 : 9e-3, 1e-4, 1);
        const Index aperture =
            recipe.integer("transmit.aperture", std::min<Index>(31, array.size()), 1, array.size());
        for (const Index centre : centres) {
            const Index first = std::clamp<Index>(centre - aperture / 2, 0, array.size() - aperture);
            const ArrayElement& element = array[centre];
            const Point middle =
                element.position + (kind == "focused" ? distance : -distance) * element.normal();
            std::vector<double> weights = aperture_weights(array.size(), first, aperture);
            transmissions.push_back(kind == "focused"
                                        ? focused_beam(array, middle, speed, std::move(weights))
                                        : diverging_wave(array, middle, speed, std::move(weights)));
        }
    }
    require(!transmissions.empty(), Status::invalid_argument, recipe.where("transmit"), " sends nothing");
    return transmissions;
}

std::vector<PathSum> read_ray_pairs(RecipeTable& recipe, const std::string& table,
                                    const TransducerArray& array) {
    const std::string kind = recipe.one_of(table + ".kind", "elements", {"elements", "plane", "diverging"});
    const double f_number = recipe.number(table + ".f_number", 0.5, 0, 100);
    std::vector<RaySource> sides[2];
    if (kind == "plane") {
        for (const int side : {0, 1})
            for (const double angle : recipe.numbers(table + (side == 0 ? ".first_angles" : ".second_angles"),
                                                     std::nullopt, -1.4, 1.4))
                sides[side].push_back(plane_rays(angle));
    } else {
        const double distance = kind == "diverging" ? recipe.number(table + ".distance", 9e-3, 1e-4, 1) : 0;
        const std::vector<double> usual[2] = {{15, 35, 55, 75, 95, 105}, {25, 45, 65, 85, 105, 115}};
        for (const int side : {0, 1})
            for (const Index n :
                 read_elements(recipe, table + (side == 0 ? ".first" : ".second"), usual[side], array)) {
                const ArrayElement& element = array[n];
                sides[side].push_back(
                    kind == "elements"
                        ? rays_of(single_element(array, n), f_number)
                        : point_rays(element.position - distance * element.normal(), f_number));
            }
    }
    const bool plane = kind == "plane";
    const char* what = plane ? " angles, " : " elements, ";
    const std::string first = table + (plane ? ".first_angles" : ".first");
    const std::string second = table + (plane ? ".second_angles" : ".second");
    require(sides[0].size() == sides[1].size(), Status::invalid_argument, recipe.where(second), " has ",
            sides[1].size(), what, first, " has ", sides[0].size());
    require(!sides[0].empty(), Status::invalid_argument, recipe.where(first),
            " must name at least one angle");
    std::vector<PathSum> pairs;
    for (std::size_t p = 0; p < sides[0].size(); ++p)
        pairs.push_back(transmission_difference(sides[0][p], sides[1][p]));
    return pairs;
}

std::vector<RaySource> read_receive(RecipeTable& recipe, const std::string& table,
                                    const TransducerArray& array) {
    const Index every = recipe.integer(table + ".receive_every", 0, 0, array.size());
    const double f_number = recipe.number(table + ".receive_f_number", 1, 0.1, 100);
    std::vector<RaySource> receive;
    for (Index e = every / 2; every > 0 && e < array.size(); e += every)
        receive.push_back(rays_of(single_element(array, e), f_number));
    return receive;
}

MaskMargins read_margins(RecipeTable& recipe, const std::string& table) {
    MaskMargins margins;
    margins.near = recipe.number(table + ".near", margins.near, 0, 1);
    margins.far = recipe.number(table + ".far", margins.far, 0, 1);
    margins.side = recipe.number(table + ".side", margins.side, 0, 1);
    return margins;
}

ImageGrid read_fine_grid(RecipeTable& recipe, const std::string& key, double spacing_otherwise,
                         const TransducerArray& array, const ImageGrid& map) {
    const double spacing = recipe.number(key, spacing_otherwise, 1e-5, 1e-2);
    double half = std::max(std::abs(map.first_x), std::abs(map.x(static_cast<double>(map.columns - 1))));
    double top = std::min(0.0, map.first_z);
    for (const ArrayElement& element : array.elements()) {
        half = std::max(half, std::abs(element.position.x));
        top = std::min(top, element.position.z);
    }
    const double depth = map.z(static_cast<double>(map.rows - 1)) - top;
    const auto columns = 2 * (static_cast<Index>(std::ceil(half / spacing)) + 1) + 1;
    const auto rows = static_cast<Index>(std::ceil(depth / spacing)) + 2;
    require(rows <= largest_grid / columns, Status::invalid_argument, recipe.where(key), ": pixels of ",
            spacing, " m make a grid of ", rows, " x ", columns, ", which is too large");
    return centred_grid(rows, columns, spacing, top);
}

}  // namespace sonolux
