// sonolux/core/context.hpp
//
// Context: where the work runs, and who is told about it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <sonolux/core/isa.hpp>
#include <sonolux/core/workspace.hpp>

namespace sonolux {

enum class Device { cpu, cuda };

class CudaDevice;  // core/cuda/device.hpp

/// Runs the items of a loop, on however many threads its owner likes.
///
/// Results never depend on the number of threads nor on which thread takes which item, so a runner is free in
/// both. A host that owns its threads supplies its own; the default is OpenMP.
class ThreadRunner {
public:
    using Task = void (*)(void* data, Index item, int thread) noexcept;

    virtual ~ThreadRunner() = default;

    /// How many threads may call at the same time; `thread` in Task is below this.
    [[nodiscard]] virtual int threads() const noexcept = 0;

    /// Calls task(data, item, thread) once for each item in [0, items), and returns when all have returned.
    virtual void run(Index items, Task task, void* data) noexcept = 0;
};

/// OpenMP where the library was built with it, otherwise the calling thread.
/// `threads` = 0 takes what OpenMP would (OMP_NUM_THREADS or the number of processors).
[[nodiscard]] std::shared_ptr<ThreadRunner> make_openmp_runner(int threads = 0);

/// Everything on the calling thread, in order.
[[nodiscard]] std::shared_ptr<ThreadRunner> make_serial_runner();

enum class LogLevel { debug, info, warning, error };

/// How far a long piece of work has come.
struct Progress {
    const char* activity = "";  ///< what is being done: "training", "denoising"
    Index done = 0, total = 0;
    double seconds_left = 0;  ///< an estimate; negative while unknown
};

/// Device, threads, scratch memory, callbacks, and the two ways to stop early.
///
/// A context serves one caller at a time. Set it up, then run: the setters may allocate, the rest does not.
class Context {
public:
    using Clock = std::chrono::steady_clock;

    /// The CPU, with the default instruction set. `runner` null means make_openmp_runner().
    explicit Context(std::shared_ptr<ThreadRunner> runner = nullptr);

    [[nodiscard]] Device device() const noexcept { return cuda_ ? Device::cuda : Device::cpu; }

    /// What has a CUDA form runs on this device from now on, and what has none says so where it is set up.
    /// Null: the CPU.
    void set_cuda_device(std::shared_ptr<CudaDevice> device) noexcept { cuda_ = std::move(device); }
    [[nodiscard]] CudaDevice* cuda_device() const noexcept { return cuda_.get(); }

    [[nodiscard]] Isa isa() const noexcept { return isa_; }

    /// Throws Error{unsupported} if this processor cannot run it.
    void set_isa(Isa isa);

    [[nodiscard]] ThreadRunner& runner() const noexcept { return *runner_; }
    [[nodiscard]] int threads() const noexcept { return runner_->threads(); }
    [[nodiscard]] Workspace& workspace() noexcept { return workspace_; }

    /// "cpu, avx512, 2 threads" or "cuda, NVIDIA H200 (compute 9.0), 2 threads": the one place that says what
    /// was chosen.
    [[nodiscard]] std::string description() const;

    void set_log(std::function<void(LogLevel, const std::string&)> log) { log_ = std::move(log); }
    void log(LogLevel level, const std::string& text) const {
        if (log_) log_(level, text);
    }

    /// The callback returns false to cancel.
    void set_progress(std::function<bool(const Progress&)> progress) { progress_ = std::move(progress); }
    void report(const Progress& progress) noexcept;

    /// May be called from another thread or a signal handler while something runs.
    void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
    void clear_cancel() noexcept { cancelled_.store(false, std::memory_order_relaxed); }

    /// Work stops at the first stage boundary after this moment. `Clock::time_point::max()` means never.
    void set_deadline(Clock::time_point deadline) noexcept { deadline_ = deadline; }

    /// ok, cancelled or deadline_exceeded: asked between stages.
    [[nodiscard]] Status poll() const noexcept {
        if (cancelled_.load(std::memory_order_relaxed)) return Status::cancelled;
        if (deadline_ != Clock::time_point::max() && Clock::now() >= deadline_)
            return Status::deadline_exceeded;
        return Status::ok;
    }

private:
    std::shared_ptr<ThreadRunner> runner_;
    std::shared_ptr<CudaDevice> cuda_;
    Isa isa_;
    Workspace workspace_;
    std::function<void(LogLevel, const std::string&)> log_;
    std::function<bool(const Progress&)> progress_;
    std::atomic<bool> cancelled_ = false;
    Clock::time_point deadline_ = Clock::time_point::max();
};

/// body(item, thread) for each item in [0, items), in any order, on the context's threads. `body` must not
/// throw.
template <class Body>
void parallel_for(Context& context, Index items, Body&& body) noexcept {
    using Plain = std::remove_reference_t<Body>;
    if (items == 1 || context.threads() == 1) {
        for (Index item = 0; item < items; ++item) body(item, 0);
        return;
    }
    context.runner().run(
        items,
        [](void* data, Index item, int thread) noexcept { (*static_cast<Plain*>(data))(item, thread); },
        const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace sonolux
