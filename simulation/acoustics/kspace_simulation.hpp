// sonolux/simulation/acoustics/kspace_simulation.hpp
//
// A full-wave simulation by whichever k-space scheme is the fastest that is valid.
#pragma once

#include <string>
#include <variant>

#include <sonolux/simulation/acoustics/kspace_first_order.hpp>
#include <sonolux/simulation/acoustics/kspace_second_order.hpp>

namespace sonolux {

enum class KspaceScheme {
    automatic,    ///< second order where it is valid, otherwise first
    first_order,  ///< as k-Wave
    second_order  ///< several times faster; linear sound in a plane, and no velocities
};

class KspaceSimulation {
public:
    /// Throws what the scheme's constructor throws.
    KspaceSimulation(const KspaceSetup& setup, Context& context,
                     KspaceScheme scheme = KspaceScheme::automatic);

    [[nodiscard]] const KspaceGrid& grid() const noexcept {
        return std::visit([](const auto& s) -> const KspaceGrid& { return s.grid(); }, simulation_);
    }
    [[nodiscard]] Index done() const noexcept {
        return std::visit([](const auto& s) { return s.done(); }, simulation_);
    }
    void step(Context& context) noexcept {
        std::visit([&](auto& s) { s.step(context); }, simulation_);
    }
    [[nodiscard]] View<const float> pressure() const noexcept {
        return std::visit([](const auto& s) { return s.pressure(); }, simulation_);
    }
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return std::visit([](const auto& s) { return s.memory_bytes(); }, simulation_);
    }

    /// What was chosen, and why: "first-order k-space scheme, 7 transforms a step (the grid is three-dimensional)".
    [[nodiscard]] const std::string& description() const noexcept { return description_; }

    /// The first-order scheme, which has velocities too; null where the other was chosen.
    [[nodiscard]] const KspaceFirstOrder* first_order() const noexcept {
        return std::get_if<KspaceFirstOrder>(&simulation_);
    }

private:
    using Any = std::variant<KspaceFirstOrder, KspaceSecondOrder>;
    static Any choose(const KspaceSetup& setup, Context& context, KspaceScheme scheme);

    Any simulation_;
    std::string description_;
};

}  // namespace sonolux
