// sonolux/sdk/runtime/safetensors.cpp
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>

#include <sonolux/sdk/runtime/json.hpp>
#include <sonolux/sdk/runtime/safetensors.hpp>

namespace sonolux {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied without swapping bytes");

constexpr std::size_t length_bytes = 8;
constexpr std::size_t payload_alignment = 64;
constexpr std::string_view metadata_key = "__metadata__";

// For every size, and for their product: so a product of two numbers in range never wraps around.
constexpr std::int64_t max_elements = std::int64_t(1) << 31;

Shape read_shape(const JsonField& field) {
    const auto sizes = field.elements();
    require(sizes.size() <= Shape::max_rank, Status::unsupported, field.where(), " has ", sizes.size(),
            " dimensions, at most ", Shape::max_rank, " are read");
    std::int64_t elements = 1;
    Index shape[Shape::max_rank] = {};
    for (std::size_t d = 0; d < sizes.size(); ++d) {
        shape[d] = sizes[d].integer(0, max_elements);
        elements *=
            std::max<std::int64_t>(shape[d], 1);  // as if sizes of 0 were 1: [0, 2^31, 2^31, 2^31] is refused
        require(elements <= max_elements, Status::corrupt_data, field.where(),
                " claims more than 2^31 elements");
    }
    switch (sizes.size()) {
        case 0: return {};
        case 1: return {shape[0]};
        case 2: return {shape[0], shape[1]};
        case 3: return {shape[0], shape[1], shape[2]};
        default: return {shape[0], shape[1], shape[2], shape[3]};
    }
}

SafetensorsHeader::Entry read_entry(const std::string& name, const JsonField& field,
                                    std::size_t payload_bytes) {
    field.allow_only({"dtype", "shape", "data_offsets"});
    const std::string& dtype = field["dtype"].text();
    require(dtype == "F32", Status::unsupported, field["dtype"].where(), " is \"", dtype,
            "\", only \"F32\" is read");

    SafetensorsHeader::Entry entry{name, read_shape(field["shape"]), 0};
    const auto offsets = field["data_offsets"].elements();
    require(offsets.size() == 2, Status::corrupt_data, field.where(),
            ".data_offsets must be [begin, end], got ", offsets.size(), " numbers");
    const auto last = static_cast<std::int64_t>(payload_bytes);
    const std::int64_t begin = offsets[0].integer(0, last);
    const std::int64_t end = offsets[1].integer(begin, last);
    const std::int64_t wanted = entry.shape.elements() * static_cast<std::int64_t>(sizeof(float));
    require(end - begin == wanted, Status::corrupt_data, field.where(), " takes ", end - begin,
            " bytes, its shape ", to_string(entry.shape), " says ", wanted);
    entry.begin = static_cast<std::size_t>(begin);
    return entry;
}

// Index of the first value that is not finite, or -1.
Index first_bad(const Array<float>& values) noexcept {
    for (Index i = 0; i < values.elements(); ++i)
        if (!std::isfinite(values.data()[i])) return i;
    return -1;
}

std::vector<const NamedTensor*> sorted(std::span<const NamedTensor> tensors) {
    std::vector<const NamedTensor*> order;
    for (const NamedTensor& tensor : tensors) order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->name < b->name; });
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::string& name = order[i]->name;
        require(!name.empty() && name != metadata_key, Status::invalid_argument,
                "a tensor cannot be named \"", name, "\"");
        require(i == 0 || order[i - 1]->name != name, Status::invalid_argument,
                "there are two tensors named \"", name, "\"");
        const Array<float>& values = order[i]->values;
        require(values.elements() == values.shape().elements(), Status::invalid_argument, "tensor \"", name,
                "\" was never filled");
        const Index bad = first_bad(values);
        require(bad < 0, Status::invalid_argument, "tensor \"", name, "\" is not finite at index ", bad);
    }
    return order;
}

void append(std::vector<std::byte>& bytes, const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), first, first + size);
}

}  // namespace

SafetensorsHeader read_safetensors_header(std::span<const std::byte> bytes, std::string_view source) {
    require(bytes.size() >= length_bytes, Status::corrupt_data, source, ": only ", bytes.size(),
            " bytes, a safetensors file has at least ", length_bytes);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), length_bytes);
    require(length <= max_safetensors_header, Status::corrupt_data, source,
            ": not a safetensors file: header of ", length, " bytes, at most ", max_safetensors_header,
            " are read");
    require(length <= bytes.size() - length_bytes, Status::corrupt_data, source, ": truncated: header of ",
            length, " bytes, but only ", bytes.size() - length_bytes, " follow");

    SafetensorsHeader header;
    header.source = source;
    header.payload = bytes.subspan(length_bytes + length);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + length_bytes, length);
    require(text.starts_with('{'), Status::corrupt_data, source,
            ": not a safetensors file: the header must start "
            "with \"{\"");
    const Json json = parse_json(text, sentence(source, ": header"));
    const auto& members = *json.get_if<Json::Members>();

    for (const auto& [name, value] : members) {
        if (name == metadata_key) {
            const std::string where = sentence(source, ": ", metadata_key);
            require(value.get_if<Json::Members>() != nullptr, Status::corrupt_data, where,
                    " must be an object, got ", value.description());
            // Not field[key], which would search from the start for each of up to 2^18 keys.
            for (const auto& [key, text_value] : *value.get_if<Json::Members>())
                header.metadata[key] = JsonField(text_value, sentence(where, ".", key)).text();
            continue;
        }
        require(!name.empty(), Status::corrupt_data, source, ": a tensor without a name");
        const JsonField field(value, sentence(source, ": tensor \"", name, "\""));
        header.entries.push_back(read_entry(name, field, header.payload.size()));
    }

    // An empty tensor may begin where the next one does.
    std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
        return std::make_tuple(a.begin, a.shape.elements(), std::string_view(a.name)) <
               std::make_tuple(b.begin, b.shape.elements(), std::string_view(b.name));
    });
    std::size_t end = 0;
    const SafetensorsHeader::Entry* previous = nullptr;
    for (const auto& entry : header.entries) {
        const auto size = static_cast<std::size_t>(entry.shape.elements()) * sizeof(float);
        if (entry.begin < end)
            fail(Status::corrupt_data, source, ": tensor \"", entry.name, "\" begins at byte ", entry.begin,
                 " inside tensor \"", previous->name, "\", which ends at ", end);
        require(entry.begin == end, Status::corrupt_data, source, ": tensor \"", entry.name,
                "\" begins at byte ", entry.begin, ", but the one before ends at ", end);
        end += size;
        previous = &entry;
    }
    require(end == header.payload.size(), Status::corrupt_data, source, ": the tensors end at byte ", end,
            " of a payload of ", header.payload.size());
    return header;
}

Array<float> read_tensor(const SafetensorsHeader& header, const SafetensorsHeader::Entry& entry) {
    Array<float> values(entry.shape);
    if (values.elements() > 0)
        std::memcpy(values.data(), header.payload.data() + entry.begin,
                    static_cast<std::size_t>(values.elements()) * sizeof(float));
    const Index bad = first_bad(values);
    require(bad < 0, Status::corrupt_data, header.source, ": tensor \"", entry.name,
            "\" is not finite at index ", bad);
    return values;
}

std::vector<NamedTensor> read_tensors(const SafetensorsHeader& header) {
    std::vector<NamedTensor> tensors;
    for (const auto& entry : header.entries) tensors.push_back({entry.name, read_tensor(header, entry)});
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return tensors;
}

std::vector<std::byte> safetensors_payload(std::span<const NamedTensor> tensors) {
    std::vector<std::byte> payload;
    for (const NamedTensor* tensor : sorted(tensors))
        append(payload, tensor->values.data(),
               static_cast<std::size_t>(tensor->values.elements()) * sizeof(float));
    return payload;
}

std::vector<std::byte> write_safetensors(std::span<const NamedTensor> tensors,
                                         const std::map<std::string, std::string>& metadata) {
    Json json = Json::object();
    if (!metadata.empty()) {
        Json strings = Json::object();
        for (const auto& [key, text] : metadata) strings.set(key, text);
        json.set(metadata_key, std::move(strings));
    }
    std::size_t begin = 0;
    for (const NamedTensor* tensor : sorted(tensors)) {
        const Shape& shape = tensor->values.shape();
        Json sizes = Json::list();
        for (int d = 0; d < shape.rank(); ++d) sizes.append(shape[d]);
        const std::size_t end = begin + static_cast<std::size_t>(tensor->values.elements()) * sizeof(float);
        json.set(tensor->name, Json::object()
                                   .set("dtype", "F32")
                                   .set("shape", std::move(sizes))
                                   .set("data_offsets", Json::list().append(begin).append(end)));
        begin = end;
    }

    std::string header = to_text(json);
    const std::size_t used = (length_bytes + header.size()) % payload_alignment;
    if (used != 0) header.append(payload_alignment - used, ' ');
    require(header.size() <= max_safetensors_header, Status::invalid_argument, "header of ", header.size(),
            " bytes, at most ", max_safetensors_header, " can be written");
    const std::uint64_t length = header.size();

    std::vector<std::byte> bytes;
    bytes.reserve(length_bytes + header.size() + begin);
    append(bytes, &length, length_bytes);
    append(bytes, header.data(), header.size());
    const std::vector<std::byte> payload = safetensors_payload(tensors);
    append(bytes, payload.data(), payload.size());
    return bytes;
}

}  // namespace sonolux
