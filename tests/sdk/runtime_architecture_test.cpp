#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>

#include <sonolux/sdk/runtime/model_architecture.hpp>

#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;
using testing::ThrowsMessage;

VariationalNetworkOptions unusual() {
    VariationalNetworkOptions options;
    options.stages = 3;
    options.shared_parameters = true;
    options.prior.filters = {FilterKind::free, 7, 9};
    options.prior.activation = {
        ActivationKind::linear_knots, 33, -0.3f, 0.1f + 0.2f, 0.05f, -0.3f, 0.1f + 0.2f, 64};
    options.prior.boundary = BoundaryRule::reflect;
    options.prior.border = BorderGradient::exact;
    options.prior.scale = 1.0f / 24;
    options.step = StepRule::damped;
    options.momentum = true;
    options.value_scale = 1;
    options.sigma_degree = 2;
    options.sigma_reference = 0.098f;
    return options;
}

ShrinkageFieldsOptions experts_in_fourier() {
    ShrinkageFieldsOptions options;
    options.stages = 3;
    options.shared_parameters = true;
    options.experts.filters = {FilterKind::free, 7, 9};
    options.experts.activation = {
        ActivationKind::linear_knots, 33, -0.3f, 0.1f + 0.2f, 0.05f, -0.3f, 0.1f + 0.2f, 64};
    options.experts.boundary = BoundaryRule::reflect;
    options.experts.border = BorderGradient::cropped;
    options.experts.scale = 1.0f / 24;
    options.form = ShrinkageForm::direct;
    options.border = BorderTreatment::taper;
    options.border_width = 11;
    options.value_scale = 1;
    options.sigma_degree = 2;
    options.sigma_reference = 0.098f;
    options.scale_by_sigma = true;
    return options;
}

ShrinkageFieldsOptions convolutions_in_fourier() {
    ShrinkageFieldsOptions options;
    options.stages = 2;
    options.prior = ShrinkagePrior::convolutional_network;
    options.experts.filters = {FilterKind::free, 3, 5};
    options.network = {3, 5, 5, Nonlinearity::relu, BoundaryRule::symmetric};
    options.border = BorderTreatment::circular;
    options.border_width = 0;
    options.sigma_degree = 1;
    return options;
}

VariationalNetworkOptions colour() {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.filters.channels = 3;
    return options;
}

const std::vector<NetworkOptions>& architectures() {
    static const std::vector<NetworkOptions> all{
        VariationalNetworkOptions{}, tiny_architecture(),       unusual(), ShrinkageFieldsOptions{},
        experts_in_fourier(),        convolutions_in_fourier(), colour()};
    return all;
}

NetworkOptions read(const std::string& text) {
    const Json json = parse_json(text, "m.safetensors");
    return architecture_from_json(JsonField(json, "m.safetensors: sonolux.architecture"));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " is not in " << text;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// Calls `check` with the object less each of its members in turn, at every depth, and that member's name.
void for_each_member(const Json& json, const std::function<void(const Json&, const std::string&)>& check) {
    const auto* members = json.get_if<Json::Members>();
    if (members == nullptr) return;
    for (std::size_t i = 0; i < members->size(); ++i) {
        const auto& [key, value] = (*members)[i];
        Json::Members rest = *members;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
        check(Json(rest), key);
        for_each_member(value, [&](const Json& part, const std::string& inner) {
            Json whole = json;
            check(whole.set(key, part), inner);
        });
    }
}

const std::string standard = to_text(architecture_to_json(VariationalNetworkOptions{}));
const std::string shrinkage = to_text(architecture_to_json(ShrinkageFieldsOptions{}));
const std::string convolutional = to_text(architecture_to_json(convolutions_in_fourier()));

TEST(ModelArchitecture, ReadsWhatItWroteToTheBit) {
    for (const NetworkOptions& options : architectures())
        EXPECT_EQ(read(to_text(architecture_to_json(options))), options);
}

TEST(ModelArchitecture, SpeaksOfChannelsWhereThereAreSeveral) {
    EXPECT_THAT(standard,
                Not(HasSubstr("channels")));  // which files from before there was colour do not have
    const std::string text = to_text(architecture_to_json(colour()));
    EXPECT_EQ(channels(read(text)), 3);
    EXPECT_THAT([&] { (void)read(replaced(text, "\"channels\":3", "\"channels\":5")); },
                ThrowsMessage<Error>(HasSubstr("filters.channels must be an integer from 1 to 4, got 5")));
}

TEST(ModelArchitecture, WritesNumbersAsPeopleWould) {
    VariationalNetworkOptions options;
    options.prior.scale = 0.05f;
    EXPECT_THAT(to_text(architecture_to_json(options)), HasSubstr("\"scale\":0.05}"));
}

TEST(ModelArchitecture, NamesEachMissingField) {
    for (const char* field : {"type",
                              "stages",
                              "shared_parameters",
                              "step",
                              "momentum",
                              "value_scale",
                              "sigma_degree",
                              "sigma_reference",
                              "prior",
                              "filters",
                              "activation",
                              "boundary",
                              "border",
                              "scale",
                              "kind",
                              "count",
                              "size",
                              "nodes",
                              "lower",
                              "upper",
                              "width",
                              "table_lower",
                              "table_upper",
                              "segments"}) {
        const std::string key = sentence("\"", field, "\":");
        const std::string text = replaced(standard, key, "\"other\":");
        EXPECT_THAT(
            [&] { (void)read(text); },
            Throws<Error>(AllOf(Property(&Error::status, Status::corrupt_data),
                                Property(&Error::what, HasSubstr("m.safetensors: sonolux.architecture")))))
            << field;
    }
    for (const std::string& text : {shrinkage, convolutional}) {
        const Json json = parse_json(text, "m.safetensors");
        const auto refused_without = [&](const Json& whole, const std::string& key) {
            EXPECT_THAT(
                [&] {
                    (void)architecture_from_json(JsonField(whole, "m.safetensors: sonolux.architecture"));
                },
                ThrowsMessage<Error>(HasSubstr("has no \"" + key + "\"")));
        };
        for_each_member(json, refused_without);
    }
    EXPECT_THAT([] { (void)read(replaced(standard, "\"stages\":5,", "")); },
                ThrowsMessage<Error>(HasSubstr("sonolux.architecture has no \"stages\"")));
    EXPECT_THAT([] { (void)read(replaced(standard, ",\"size\":5", "")); },
                ThrowsMessage<Error>(HasSubstr("prior.filters has no \"size\"")));
}

TEST(ModelArchitecture, NamesAFieldThatItDoesNotKnow) {
    EXPECT_THAT([] { (void)read(replaced(standard, "\"momentum\"", "\"dropout\":1,\"momentum\"")); },
                ThrowsMessage<Error>(HasSubstr("sonolux.architecture has an unknown key \"dropout\"")));
    EXPECT_THAT([] { (void)read(replaced(standard, "\"nodes\"", "\"knots\":1,\"nodes\"")); },
                ThrowsMessage<Error>(HasSubstr("prior.activation has an unknown key \"knots\"")));
}

TEST(ModelArchitecture, NamesFieldValueAndExpectation) {
    struct Case {
        const char *from, *to, *message;
    };
    for (const auto& [from, to, message] : {
             Case{"\"stages\":5", "\"stages\":0", "stages must be an integer from 1 to 100, got 0"},
             Case{"\"stages\":5", "\"stages\":1000000000",
                  "stages must be an integer from 1 to 100, got 1000000000"},
             Case{"\"stages\":5", "\"stages\":\"five\"",
                  "stages must be an integer from 1 to 100, got \"five\""},
             Case{"\"stages\":5", "\"stages\":null", "stages must be an integer from 1 to 100, got null"},
             Case{"\"momentum\":false", "\"momentum\":0", "momentum must be true or false, got 0"},
             Case{"\"step\":\"plain\"", "\"step\":\"big\"",
                  "step must be one of \"plain\", \"damped\", \"split\", got \"big\""},
             Case{"\"value_scale\":255.0", "\"value_scale\":0", "value_scale must be a number from"},
             Case{"\"sigma_degree\":0", "\"sigma_degree\":5",
                  "sigma_degree must be an integer from 0 to 4, got 5"},
             Case{"\"count\":24", "\"count\":257", "filters.count must be an integer from 1 to 256, got 257"},
             Case{"\"size\":5", "\"size\":4", "filters.size must be odd, got 4"},
             Case{"\"size\":5", "\"size\":13", "filters.size must be an integer from 3 to 11, got 13"},
             Case{"\"nodes\":31", "\"nodes\":1", "activation.nodes must be an integer from 2 to 256, got 1"},
             Case{"\"upper\":150.0", "\"upper\":-150.0", "upper must be greater than lower (-150), got -150"},
             Case{"\"width\":10.0", "\"width\":-10", "width must be a number from"},
             Case{"\"boundary\":\"symmetric\"", "\"boundary\":\"soft\"",
                  "prior.boundary must be one of \"zero\""},
             Case{"\"scale\":1.0", "\"scale\":{}", "prior.scale must be a number"},
             Case{"\"filters\":{", "\"filters\":7,\"filter\":{", "has an unknown key \"filter\""},
             Case{"\"sigma_degree\":0", "\"sigma_degree\":1,\"filter_sigma_degree\":2",
                  "filter_sigma_degree must be an integer from 0 to 1, got 2"},
         }) {
        const std::string text = replaced(standard, from, to);
        EXPECT_THAT([&] { (void)read(text); }, ThrowsMessage<Error>(HasSubstr(message)));
    }
    for (const auto& [from, to, message] : {
             Case{"\"stages\":5", "\"stages\":101", "stages must be an integer from 1 to 100, got 101"},
             Case{"\"form\":\"residual\"", "\"form\":1",
                  "form must be one of \"direct\", \"residual\", got 1"},
             Case{"\"border\":\"valid\"", "\"border\":\"soft\"",
                  "border must be one of \"circular\", \"replicate\", \"taper\", \"valid\", got \"soft\""},
             Case{"\"border_width\":8", "\"border_width\":65",
                  "border_width must be an integer from 0 to 64, got 65"},
             Case{"\"value_scale\":255.0", "\"value_scale\":-1", "value_scale must be a number from"},
             Case{"\"sigma_degree\":0", "\"sigma_degree\":5", "sigma_degree must be an integer from 0 to 4"},
             Case{"\"sigma_reference\":25.0", "\"sigma_reference\":0",
                  "sigma_reference must be a number from"},
             Case{"\"scale_by_sigma\":false", "\"scale_by_sigma\":0", "scale_by_sigma must be true or false"},
             Case{"\"scale\":1.0", "\"scale\":0", "prior.scale must be a number from"},
             Case{"\"form\"", "\"momentum\":true,\"form\"", "has an unknown key \"momentum\""},
         }) {
        const std::string text = replaced(shrinkage, from, to);
        EXPECT_THAT([&] { (void)read(text); }, ThrowsMessage<Error>(HasSubstr(message)));
    }
    for (const auto& [from, to, message] : {
             Case{"\"layers\":3", "\"layers\":17", "prior.layers must be an integer from 1 to 16, got 17"},
             Case{"\"features\":5", "\"features\":65", "prior.features must be an integer from 1 to 64"},
             Case{"\"features\":5,\"size\":5", "\"features\":5,\"size\":6", "prior.size must be odd, got 6"},
             Case{"\"features\":5,\"size\":5", "\"features\":5,\"size\":9",
                  "prior.size must be an integer from 3 to 7, got 9"},
             Case{"\"relu\"", "\"tanh\"", "nonlinearity must be one of \"elu\", \"relu\", got \"tanh\""},
             Case{"\"symmetric\"", "\"same\"", "prior.boundary must be one of \"zero\""},
             Case{"\"layers\"", "\"scale\":1,\"layers\"", "prior has an unknown key \"scale\""},
         }) {
        const std::string text = replaced(convolutional, from, to);
        EXPECT_THAT([&] { (void)read(text); }, ThrowsMessage<Error>(HasSubstr(message)));
    }
}

TEST(ModelArchitecture, CallsAnUnknownTypeUnsupported) {
    for (const char* type : {"variational_network", "fields_of_experts"})
        EXPECT_THAT([&] { (void)read(replaced(standard, type, "transformer")); },
                    Throws<Error>(AllOf(Property(&Error::status, Status::unsupported),
                                        Property(&Error::what, HasSubstr("got \"transformer\"")))));
    EXPECT_THAT([&] { (void)read(replaced(shrinkage, "shrinkage_fields", "transformer")); },
                Throws<Error>(Property(&Error::status, Status::unsupported)));
    EXPECT_THAT([&] { (void)read(replaced(convolutional, "convolutional_network", "transformer")); },
                Throws<Error>(AllOf(
                    Property(&Error::status, Status::unsupported),
                    Property(&Error::what, HasSubstr("must be \"fields_of_experts\" or "
                                                     "\"convolutional_network\", got \"transformer\"")))));
}

TEST(ModelArchitecture, CarriesANetworkThroughAFile) {
    for (const NetworkOptions& options : architectures()) {
        const auto network = tiny_network(options, 3);
        const auto bytes = save_model(tiny_model(options, 3));
        const Model model = load_model(bytes, "m.safetensors");
        EXPECT_EQ(architecture_of(model), options);
        const auto read_back = network_from_model(model);
        ASSERT_EQ(read_back->parameters().size(), network->parameters().size());
        EXPECT_EQ(std::memcmp(read_back->parameters().data(), network->parameters().data(),
                              network->parameters().size() * sizeof(float)),
                  0);
    }
}

TEST(ModelArchitecture, StoresTensorsUnderTheNamesOfTheLayout) {
    const Model model = tiny_model();
    std::vector<std::string> names;
    for (const NamedTensor& tensor : model.tensors) names.push_back(tensor.name);
    EXPECT_THAT(names, testing::IsSupersetOf({"stage1.filters", "stage2.filters", "stage1.activation"}));
    EXPECT_EQ(model.tensor("stage1.filters", {4, 8}).shape(), (Shape{4, 8}));
}

TEST(ModelArchitecture, NamesTheTensorThatDoesNotFit) {
    Model missing = tiny_model();
    std::erase_if(missing.tensors, [](const NamedTensor& t) { return t.name == "stage2.log_data_weight"; });
    EXPECT_THAT(
        [&] { (void)network_from_model(missing, "m.safetensors"); },
        ThrowsMessage<Error>(HasSubstr("m.safetensors: there is no tensor \"stage2.log_data_weight\"")));

    Model superfluous = tiny_model();
    superfluous.tensors.push_back({"stage3.filters", Array<float>({4, 8})});
    EXPECT_THAT([&] { (void)network_from_model(superfluous); },
                ThrowsMessage<Error>(HasSubstr("model \"tiny\": tensor \"stage3.filters\" is not one that")));

    Model misshapen = tiny_model();
    for (NamedTensor& tensor : misshapen.tensors)
        if (tensor.name == "stage1.filters") tensor.values = Array<float>({8, 4});
    EXPECT_THAT([&] { (void)network_from_model(misshapen, "m.safetensors"); },
                ThrowsMessage<Error>(HasSubstr(
                    "m.safetensors: tensor \"stage1.filters\" is 8 x 4, the architecture says 4 x 8")));
}

TEST(ModelArchitecture, BelievesNoMoreThanTheTensorsHold) {
    Model model = tiny_model(NetworkOptions{experts_in_fourier()});
    ShrinkageFieldsOptions experts = experts_in_fourier(), convolutions = convolutions_in_fourier();
    experts.shared_parameters = false;
    experts.stages = 100;
    convolutions.stages = 100;
    convolutions.network = {16, 64, 7, Nonlinearity::elu, BoundaryRule::zero};
    for (const auto& [options, least] : {std::pair{experts, 100 * 7 * (80 + 3 * 33)},
                                         {convolutions, 100 * (3 * 24 + 49 * (2 * 64 + 14 * 64 * 64))}}) {
        model.architecture = architecture_to_json(options);
        model.problem.boundary = to_string(options.border);
        model.problem.value_scale = options.value_scale;
        EXPECT_THAT([&] { (void)network_from_model(model); },
                    ThrowsMessage<Error>(HasSubstr(sentence("the architecture needs at least ", least))));
    }
    model = tiny_model();
    VariationalNetworkOptions vast = tiny_architecture();
    vast.stages = 100;
    vast.prior.filters = {FilterKind::dct, 256, 11};
    vast.prior.activation.nodes = 256;
    vast.prior.activation.segments = 1024;
    model.architecture = architecture_to_json(vast);
    EXPECT_THAT([&] { (void)network_from_model(model); },
                ThrowsMessage<Error>(HasSubstr("the architecture needs at least 9625600")));
}

TEST(ModelArchitecture, NamesTheModelWhereFieldsContradictEachOther) {
    VariationalNetworkOptions options = unusual();
    options.prior.activation.segments = 17;
    Model model = tiny_model(unusual());
    model.architecture = architecture_to_json(options);
    EXPECT_THAT(
        [&] { (void)network_from_model(model, "m.safetensors"); },
        Throws<Error>(AllOf(Property(&Error::status, Status::corrupt_data),
                            Property(&Error::what, HasSubstr("m.safetensors: sonolux.architecture: ")),
                            Property(&Error::what, HasSubstr("got 17")))));
}

TEST(ModelArchitecture, NamesTheModelWhereABorderContradictsItsTreatment) {
    Model model = tiny_model(NetworkOptions{convolutions_in_fourier()});
    ShrinkageFieldsOptions options = convolutions_in_fourier();
    options.border_width = 8;
    model.architecture = architecture_to_json(options);
    EXPECT_THAT(
        [&] { (void)network_from_model(model, "m.safetensors"); },
        ThrowsMessage<Error>(HasSubstr("m.safetensors: sonolux.architecture: border_width must be 0 for "
                                       "a circular border, got 8")));
}

TEST(ModelArchitecture, SaysInTheProblemWhatShrinkageFieldsDoAboutTheBorder) {
    EXPECT_EQ(tiny_model(NetworkOptions{ShrinkageFieldsOptions{}}).problem.boundary, "valid");
    Model model = tiny_model(NetworkOptions{experts_in_fourier()});
    EXPECT_EQ(model.problem.boundary, "taper");
    model.problem.boundary = "reflect";  // that of the prior
    EXPECT_THAT([&] { (void)architecture_of(model); },
                ThrowsMessage<Error>(HasSubstr("sonolux.problem.boundary is \"reflect\"")));
}

TEST(ModelArchitecture, DeblursWithShrinkageFieldsOnly) {
    Model fourier = tiny_model(NetworkOptions{experts_in_fourier()});
    set_deblurring(fourier.problem, 27, 15);
    const Model read_back = load_model(save_model(fourier), "m.safetensors");
    EXPECT_EQ(read_back.problem, fourier.problem);
    EXPECT_EQ(largest_kernel(read_back.problem), (Shape{27, 15}));
    EXPECT_EQ(architecture_of(read_back), NetworkOptions{experts_in_fourier()});

    Model variational = tiny_model();
    EXPECT_EQ(largest_kernel(variational.problem), (Shape{0, 0}));
    set_deblurring(variational.problem, 27, 15);
    EXPECT_THAT([&] { (void)architecture_of(variational, "m.safetensors"); },
                Throws<Error>(AllOf(Property(&Error::status, Status::unsupported),
                                    Property(&Error::what, HasSubstr("got \"variational_network\"")))));
}

TEST(ModelArchitecture, RefusesAProblemThatContradictsTheArchitecture) {
    Model model = tiny_model();
    model.problem.value_scale = 1;
    EXPECT_THAT(
        [&] { (void)architecture_of(model); },
        ThrowsMessage<Error>(HasSubstr("sonolux.problem.value_scale is 1, the architecture says 255")));
    model = tiny_model();
    model.problem.boundary = "zero";
    EXPECT_THAT([&] { (void)architecture_of(model); },
                ThrowsMessage<Error>(HasSubstr("sonolux.problem.boundary is \"zero\"")));
}

TEST(ModelArchitecture, RefusesToDescribeANetworkByAnotherArchitecture) {
    Model model;
    EXPECT_THAT([&] { set_network(model, VariationalNetworkOptions{}, *tiny_network(tiny_architecture())); },
                Throws<Error>(Property(&Error::status, Status::size_mismatch)));
}

}  // namespace
}  // namespace sonolux
