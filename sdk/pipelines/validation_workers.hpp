// sonolux/sdk/pipelines/validation_workers.hpp
//
// What each thread has to itself where a network is run on held-out samples.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

struct ValidationWorker {
    Context context{make_serial_runner()};
    Array<float> estimate;  ///< of the samples' domain
};

/// One for each thread of `context`, with its instruction set and the workspace of a run on samples like
/// `sample`, of `domain` [..., rows, columns].
[[nodiscard]] inline std::vector<std::unique_ptr<ValidationWorker>> make_validation_workers(
    const UnrolledNetwork& network, const Shape& domain, const Observation& sample, const Context& context) {
    const int rank = domain.rank();
    std::vector<std::unique_ptr<ValidationWorker>> workers;
    for (int thread = 0; thread < context.threads(); ++thread) {
        workers.push_back(std::make_unique<ValidationWorker>());
        ValidationWorker& worker = *workers.back();
        worker.estimate = Array<float>(domain);
        worker.context.set_isa(context.isa());
        worker.context.workspace().reserve(
            network.run_workspace_bytes(domain[rank - 2], domain[rank - 1], worker.context, sample));
    }
    return workers;
}

}  // namespace sonolux
