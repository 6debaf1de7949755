// sonolux/sdk/pipelines/lens_recipe.cpp
#include <sonolux/sdk/pipelines/lens_recipe.hpp>

#include <sonolux/sdk/files/spectral_files.hpp>
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>
#include <sonolux/simulation/optics/spectral_lift.hpp>

namespace sonolux {

namespace {

DiffractiveLens read_lens(RecipeTable& recipe) {
    DiffractiveLens lens;
    lens.focal_length = recipe.number("lens.focal_length", lens.focal_length, 1e-4, 100);
    lens.diameter = recipe.number("lens.diameter", lens.diameter, 1e-5, 1);
    lens.wavelength = recipe.number("lens.wavelength", lens.wavelength, 1e-7, 1e-5);
    lens.order = static_cast<int>(recipe.integer("lens.order", lens.order, 1, 1000));
    lens.levels = static_cast<int>(recipe.integer("lens.levels", lens.levels, 0, 4096));
    lens.ring_width = recipe.number("lens.ring_width", lens.ring_width, 0, 1e-2);
    lens.largest_height = recipe.number("lens.largest_height", lens.largest_height, 0, 1e-2);
    std::vector<std::string> materials;
    for (const Material& material : known_materials()) materials.push_back(material.name());
    lens.material = material_by_name(recipe.one_of("lens.material", "fused-silica", materials));
    return lens;
}

}  // namespace

Array<float> fold_lifted_bands(View<const float> kernels) {
    const View<const float> basis = lift_basis();
    require(kernels.rank() == 4 && kernels.size(1) == basis.size(1), Status::size_mismatch,
            "lens: kernels of lifted spectra must have ", basis.size(1), " bands, got ",
            to_string(kernels.shape()));
    Array<float> folded({kernels.size(0), 3, kernels.rows(), kernels.columns()});
    for (Index c = 0; c < kernels.size(0); ++c)
        for (Index colour = 0; colour < 3; ++colour) {
            const View<float> to = folded.view()[c][colour];
            for (Index b = 0; b < basis.size(1); ++b) {
                const View<const float> from = kernels[c][b];
                for (Index n = 0; n < from.elements(); ++n) to.data()[n] += basis(colour, b) * from.data()[n];
            }
        }
    return folded;
}

Array<float> central_kernels(View<const float> kernels, Index size) {
    size = std::min(size, kernels.rows());
    const Index from = (kernels.rows() - size) / 2;
    Array<float> middle({kernels.size(0), size, size});
    for (Index c = 0; c < kernels.size(0); ++c) {
        double all = 0, kept = 0;
        for (Index n = 0; n < kernels[c].elements(); ++n) all += double{kernels[c].data()[n]};
        for (Index i = 0; i < size; ++i)
            for (Index j = 0; j < size; ++j) kept += double{middle(c, i, j) = kernels(c, from + i, from + j)};
        for (Index n = 0; n < size * size; ++n) middle.view()[c].data()[n] *= static_cast<float>(all / kept);
    }
    return middle;
}

PsfBankOptions bank_options(const LensSystem& system) {
    PsfBankOptions options;
    options.wavelengths = system.bank.wavelengths;
    options.pixel = system.bank.pixel;
    options.size = system.bank.size();
    options.allow_coarse_wavelengths = true;  // read_lens_system has asked for what is fine enough
    return options;
}

Array<float> white_kernels_at(const LensSystem& system, double distance, Context& context) {
    RadialOptics optics = optics_of(system.lens);
    optics.distance = distance;
    return white_kernels(make_psf_bank(optics, bank_options(system), context), system.response);
}

LensSystem read_lens_system(RecipeTable& recipe, Context& context) {
    LensSystem system;
    system.lens = read_lens(recipe);
    system.distance = recipe.number("lens.distance", system.lens.focal_length, 1e-4, 100);

    PsfBankOptions options;
    options.pixel = recipe.number("psf.pixel", options.pixel, 1e-7, 1e-3);
    options.size = recipe.integer("psf.size", 129, 1, 2047);
    require(options.size % 2 == 1, Status::invalid_argument, recipe.where("psf.size"),
            " must be odd, so that a pixel is in the middle, got ", options.size);
    const Range range = read_range(recipe, "psf.wavelengths", {400e-9, 700e-9}, 1e-7, 1e-5);
    options.wavelengths =
        wavelengths_between(range.low, range.high, recipe.integer("psf.count", 121, 1, 10000));
    options.allow_coarse_wavelengths = recipe.flag("psf.allow_coarse_wavelengths", false);

    const std::string response = recipe.text("sensor.response", "gaussian");
    const SpectralTable table = response == "gaussian" ? gaussian_sensor() : read_spectral_table(response);
    const double kelvin = recipe.number("light.temperature", 6504, 500, 50000);
    const Range photons = read_range(recipe, "sensor.full_well", {10000, 10000}, 1, 1e9);
    system.sensor.full_well = photons.low;
    system.most_photons = photons.high;
    system.sensor.read_noise = recipe.number("sensor.read_noise", system.sensor.read_noise, 0, 1e6);
    system.sensor.bits = static_cast<int>(recipe.integer("sensor.bits", 0, 0, 16));
    system.sensor.vignetting = recipe.number("sensor.vignetting", 0, 0, 0.99);
    const std::string mosaic = recipe.text("sensor.mosaic", "none");
    if (mosaic != "none") {
        system.mosaic.emplace(mosaic);
        require(table.curves.size() == 3, Status::invalid_argument, recipe.where("sensor.mosaic"),
                ": a mosaic is of 3 channels, ", table.name, " has ", table.curves.size());
    }

    system.response = camera_response(table, black_body(kelvin), options.wavelengths);
    RadialOptics optics = optics_of(system.lens);
    optics.distance = system.distance;
    system.bank = make_psf_bank(optics, options, context);
    system.white_kernels = white_kernels(system.bank, system.response);
    const std::vector<double> bands = lift_wavelengths();
    system.rgb_kernels = fold_lifted_bands(camera_kernels(system.bank, system.response, bands));
    const Array<float> matrix = camera_matrix(system.response, bands);
    system.rgb_matrix = Array<float>({system.response.channels(), 3});
    for (Index c = 0; c < system.response.channels(); ++c)
        for (Index colour = 0; colour < 3; ++colour)
            for (Index b = 0; b < matrix.view().columns(); ++b)
                system.rgb_matrix(c, colour) += lift_basis()(colour, b) * matrix(c, b);
    return system;
}

}  // namespace sonolux
