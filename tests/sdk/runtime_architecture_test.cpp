#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
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

VariationalNetworkOptions read(const std::string& text) {
    const Json json = parse_json(text, "m.safetensors");
    return architecture_from_json(JsonField(json, "m.safetensors: sonolux.architecture"));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " is not in " << text;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

const std::string standard = to_text(architecture_to_json(VariationalNetworkOptions{}));

TEST(ModelArchitecture, ReadsWhatItWroteToTheBit) {
    for (const auto& options : {VariationalNetworkOptions{}, tiny_architecture(), unusual()})
        EXPECT_EQ(read(to_text(architecture_to_json(options))), options);
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
                  "step must be one of \"plain\", \"damped\", got \"big\""},
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
         }) {
        const std::string text = replaced(standard, from, to);
        EXPECT_THAT([&] { (void)read(text); }, ThrowsMessage<Error>(HasSubstr(message)));
    }
}

TEST(ModelArchitecture, CallsAnUnknownTypeUnsupported) {
    for (const char* type : {"variational_network", "fields_of_experts"})
        EXPECT_THAT([&] { (void)read(replaced(standard, type, "transformer")); },
                    Throws<Error>(AllOf(Property(&Error::status, Status::unsupported),
                                        Property(&Error::what, HasSubstr("got \"transformer\"")))));
}

TEST(ModelArchitecture, CarriesANetworkThroughAFile) {
    for (VariationalNetworkOptions options : {tiny_architecture(), unusual()}) {
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
    Model model = tiny_model();
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
