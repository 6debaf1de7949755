// sonolux/simulation/acoustics/kspace_simulation.cpp
#include <sonolux/simulation/acoustics/kspace_simulation.hpp>

namespace sonolux {

KspaceSimulation::Any KspaceSimulation::choose(const KspaceSetup& setup, Context& context,
                                               KspaceScheme scheme) {
    const bool second = scheme == KspaceScheme::second_order ||
                        (scheme == KspaceScheme::automatic && KspaceSecondOrder::why_not(setup).empty());
    if (second) return Any(std::in_place_type<KspaceSecondOrder>, setup, context);
    return Any(std::in_place_type<KspaceFirstOrder>, setup, context);
}

KspaceSimulation::KspaceSimulation(const KspaceSetup& setup, Context& context, KspaceScheme scheme)
    : simulation_(choose(setup, context, scheme)),
      description_(std::visit([](const auto& s) { return s.description(); }, simulation_)) {
    const std::string reason = KspaceSecondOrder::why_not(setup);
    if (scheme == KspaceScheme::automatic && !reason.empty()) description_ += " (" + reason + ")";
}

}  // namespace sonolux
