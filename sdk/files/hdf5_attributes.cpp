// sonolux/sdk/files/hdf5_attributes.cpp
#include <sonolux/sdk/files/hdf5_state.hpp>

namespace sonolux {

using namespace hdf5;

bool Hdf5File::has_attribute(const std::string& object, const std::string& name) const {
    state_->check_open();
    const Session session;
    return state_->has(object) && H5Aexists(state_->object(object), name.c_str()) > 0;
}

std::string Hdf5File::text_attribute(const std::string& object, const std::string& name) const {
    state_->check_open();
    const Session session;
    const Handle owner = state_->object(object);
    const Handle attribute = state_->attribute(owner, object, name);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    if (kind(type) != Hdf5Type::text)
        state_->corrupt("attribute \"", name, "\" of \"", object, "\" is ", to_string(kind(type)),
                        ", text is expected");
    const auto text =
        one_text(type, [&](hid_t memory, void* where) { return H5Aread(attribute, memory, where) >= 0; });
    if (!text) state_->corrupt("attribute \"", name, "\" of \"", object, "\" cannot be read");
    return *text;
}

double Hdf5File::number_attribute(const std::string& object, const std::string& name) const {
    state_->check_open();
    const Session session;
    const Handle owner = state_->object(object);
    const Handle attribute = state_->attribute(owner, object, name);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    double number = 0;
    const H5T_class_t type_class = H5Tget_class(type);
    if ((type_class != H5T_FLOAT && type_class != H5T_INTEGER) ||
        H5Aread(attribute, H5T_NATIVE_DOUBLE, &number) < 0)
        state_->corrupt("attribute \"", name, "\" of \"", object, "\" is ", to_string(kind(type)),
                        ", a number is expected");
    return number;
}

std::vector<double> Hdf5File::numbers_attribute(const std::string& object, const std::string& name) const {
    state_->check_open();
    const Session session;
    const Handle owner = state_->object(object);
    constexpr hssize_t most = 65536;
    const Handle attribute = state_->attribute(owner, object, name, most);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    const Handle space(H5Aget_space(attribute), H5Sclose);
    std::vector<double> numbers(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    const H5T_class_t type_class = H5Tget_class(type);
    if ((type_class != H5T_FLOAT && type_class != H5T_INTEGER) ||
        H5Aread(attribute, H5T_NATIVE_DOUBLE, numbers.data()) < 0)
        state_->corrupt("attribute \"", name, "\" of \"", object, "\" is ", to_string(kind(type)),
                        ", numbers are expected");
    return numbers;
}

void Hdf5File::set_attribute(const std::string& object, const std::string& name, std::string_view text,
                             Hdf5Text how) {
    state_->check_writable();
    const Session session;
    const Handle type = text_type(how, text.size());
    const std::string copy(text);
    const char* start = copy.c_str();
    state_->set_attribute(object, name, type, type,
                          how == Hdf5Text::variable ? static_cast<const void*>(&start) : start,
                          how == Hdf5Text::listed ? std::optional<hsize_t>(1) : std::nullopt);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& name, double number) {
    state_->check_writable();
    const Session session;
    state_->set_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &number);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& name,
                             std::span<const double> numbers) {
    state_->check_writable();
    const Session session;
    state_->set_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, numbers.data(), numbers.size());
}

void Hdf5File::set_integer(const std::string& object, const std::string& name, std::int64_t number) {
    state_->check_writable();
    const Session session;
    state_->set_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &number);
}

}  // namespace sonolux
