// sonolux/sdk/files/kwave_names.cpp
#include <ctime>

#include <sonolux/sdk/files/kwave_names.hpp>

namespace sonolux::kwave {

void write_header(Hdf5File& file, const char* file_type, int minor_version, const std::string& description) {
    char date[32] = "";
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    if (gmtime_r(&now, &parts) != nullptr) std::strftime(date, sizeof date, "%d-%b-%Y %H:%M:%S", &parts);
    const std::pair<const char*, std::string> texts[] = {
        {"created_by", "Sonolux " SLX_VERSION},
        {"creation_date", date},
        {"file_description", description.empty() ? "Sonolux" : description},
        {"file_type", file_type},
        {"major_version", "1"},
        {"minor_version", std::to_string(minor_version)}};
    for (const auto& [name, text] : texts) file.set_attribute("/", name, text, Hdf5Text::fixed);
}

}  // namespace sonolux::kwave
