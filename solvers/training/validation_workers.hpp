// sonolux/solvers/training/validation_workers.hpp
//
// What each thread has to itself where a network is run on held-out samples.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/core/context.hpp>

namespace sonolux {

struct ValidationWorker {
    Context context{make_serial_runner()};
    Array<float> estimate;
};

using ValidationWorkers = std::vector<std::unique_ptr<ValidationWorker>>;

/// One for each thread of `context`, with its instruction set, room for an estimate of `domain` and a
/// workspace of `workspace` bytes.
[[nodiscard]] inline ValidationWorkers make_validation_workers(const Shape& domain, std::size_t workspace,
                                                               const Context& context) {
    ValidationWorkers workers;
    for (int thread = 0; thread < context.threads(); ++thread) {
        ValidationWorker& worker = *workers.emplace_back(std::make_unique<ValidationWorker>());
        worker.estimate = Array<float>(domain);
        worker.context.set_isa(context.isa());
        worker.context.workspace().reserve(workspace);
    }
    return workers;
}

}  // namespace sonolux
