// sonolux/core/acoustics/focusing_delays.cpp
#include <sonolux/core/acoustics/focusing_delays.hpp>

namespace sonolux {

namespace {

std::vector<Point> positions_of(const TransducerArray& array) {
    std::vector<Point> positions;
    for (const ArrayElement& element : array.elements()) positions.push_back(element.position);
    return positions;
}

void require_table(const char* name, const char* per, View<const float> table, Index planes,
                   const ImageGrid& grid, double earliest) {
    const Shape expected{planes, grid.rows, grid.columns};
    require(table.shape() == expected, Status::size_mismatch, "focusing delays: the ", name,
            " table must be ", per, "s x rows x columns, ", to_string(expected), ", got ",
            to_string(table.shape()));
    const Index pixels = grid.rows * grid.columns;
    for (Index i = 0; i < table.elements(); ++i) {
        const float time = table.data()[i];
        if (time != time) continue;
        require(time >= earliest && time <= 1, Status::invalid_argument, "focusing delays: the ", name,
                " time of ", per, " ", i / pixels + 1, ", row ", i % pixels / grid.columns, ", column ",
                i % grid.columns, " must be between ", earliest, " and 1 s, got ", time);
    }
}

}  // namespace

FocusingDelays::FocusingDelays(const Acquisition& acquisition, const ImageGrid& grid, double sound_speed)
    : grid_(grid), sent_(acquisition.sent()), positions_(positions_of(acquisition.array)) {
    validate(acquisition, "focusing delays");
    validate(grid, "focusing delays: grid");
    for (const Transmission& transmission : acquisition.transmissions)
        fields_.emplace_back(transmission, acquisition.array, sound_speed, acquisition.centre_frequency);
    slowness_ = 1 / sound_speed;
}

FocusingDelays::FocusingDelays(const Acquisition& acquisition, const ImageGrid& grid, Array<float> transmit,
                               Array<float> receive)
    : grid_(grid),
      sent_(acquisition.sent()),
      positions_(positions_of(acquisition.array)),
      transmit_table_(std::move(transmit)),
      receive_table_(std::move(receive)) {
    validate(acquisition, "focusing delays");
    validate(grid, "focusing delays: grid");
    for (const Transmission& transmission : acquisition.transmissions) {
        const double speed = transmission.sound_speed > 0  ? transmission.sound_speed
                             : acquisition.sound_speed > 0 ? acquisition.sound_speed
                                                           : 1540;
        fields_.emplace_back(transmission, acquisition.array, speed, acquisition.centre_frequency);
    }
    require_table("transmit", "transmission", transmit_table_, sent_, grid, -1);
    require_table("receive", "element", receive_table_, elements(), grid, 0);
}

}  // namespace sonolux
