// sonolux/core/context.cpp
#include <sonolux/core/context.hpp>
#include <sonolux/core/cuda/device.hpp>

#ifdef SLX_WITH_OPENMP
#include <omp.h>
#endif

namespace sonolux {

namespace {

class SerialRunner final : public ThreadRunner {
public:
    int threads() const noexcept override { return 1; }
    void run(Index items, Task task, void* data) noexcept override {
        for (Index item = 0; item < items; ++item) task(data, item, 0);
    }
};

#ifdef SLX_WITH_OPENMP
class OpenMpRunner final : public ThreadRunner {
public:
    explicit OpenMpRunner(int threads) : threads_(threads > 0 ? threads : omp_get_max_threads()) {}

    int threads() const noexcept override { return threads_; }

    void run(Index items, Task task, void* data) noexcept override {
        // Dynamic: tiles at the border cost less than tiles inside, and other programs share the machine.
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_)
        for (Index item = 0; item < items; ++item) task(data, item, omp_get_thread_num());
    }

private:
    int threads_;
};
#endif

}  // namespace

std::shared_ptr<ThreadRunner> make_serial_runner() { return std::make_shared<SerialRunner>(); }

std::shared_ptr<ThreadRunner> make_openmp_runner([[maybe_unused]] int threads) {
    require(threads >= 0, Status::invalid_argument, "threads must be at least 0, got ", threads);
#ifdef SLX_WITH_OPENMP
    return std::make_shared<OpenMpRunner>(threads);
#else
    return make_serial_runner();
#endif
}

Context::Context(std::shared_ptr<ThreadRunner> runner)
    : runner_(runner ? std::move(runner) : make_openmp_runner()), isa_(default_isa()) {}

void Context::set_isa(Isa isa) {
    for (Isa one : available_isas())
        if (one == isa) {
            isa_ = isa;
            return;
        }
    fail(Status::unsupported, "this processor cannot run the instruction set \"", to_string(isa), "\"");
}

std::string Context::description() const {
    return sentence(cuda_ ? "cuda, " + cuda_->name() : sentence("cpu, ", to_string(isa_)), ", ", threads(),
                    threads() == 1 ? " thread" : " threads");
}

void Context::report(const Progress& progress) noexcept {
    try {
        if (progress_ && !progress_(progress)) cancel();
    } catch (...) {  // a host's callback may throw; the run-time path may not
        cancel();
    }
}

}  // namespace sonolux
