// sonolux/core/cuda/device.cu
//
// Devices, memory and graphs of the CUDA module.
#include <sonolux/core/cuda/device_launcher.cuh>

namespace sonolux::cuda {

void require_cuda(cudaError_t error, const char* call) {
    if (error == cudaSuccess) return;
    cudaGetLastError();  // forgets it where it can be forgotten; a fault stays
    throw Error(
        error == cudaErrorMemoryAllocation ? Status::out_of_memory : Status::device_error,
        sentence("CUDA: ", call, ": ", cudaGetErrorString(error), " (", cudaGetErrorName(error), ")"));
}

namespace {

std::string version_text(int version) { return sentence(version / 1000, ".", version % 1000 / 10); }

/// How many devices there are; throws Error{unsupported} saying why there are none.
int count_devices() {
    int driver = 0;
    cudaDriverGetVersion(&driver);
    if (driver == 0)
        throw Error(
            Status::unsupported,
            sentence(
                "a CUDA device was asked for, and this machine has no NVIDIA driver (the module was built "
                "with CUDA ",
                version_text(CUDART_VERSION), ")"));
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver)
        throw Error(Status::unsupported,
                    sentence("the NVIDIA driver knows CUDA up to ", version_text(driver),
                             ", and the module was built with CUDA ", version_text(CUDART_VERSION),
                             ": a newer driver is needed"));
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
        throw Error(Status::unsupported,
                    "a CUDA device was asked for, and this machine has a driver but no device");
    require_cuda(error, "counting devices");
    return count;
}

}  // namespace

OpenDevice::OpenDevice(int index) : index_(index) {
    const int count = count_devices();
    require(index < count, Status::unsupported, "CUDA device ", index, " was asked for, and there are ",
            count, ", counted from 0");
    use();
    cudaDeviceProp properties{};
    require_cuda(cudaGetDeviceProperties(&properties, index), "asking for the device's properties");
    name_ = sentence(properties.name, " (compute ", properties.major, ".", properties.minor, ")");
    require_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
}

OpenDevice::~OpenDevice() { cudaStreamDestroy(stream_); }

std::size_t OpenDevice::free_bytes() const {
    std::size_t free = 0, total = 0;
    require_cuda(cudaMemGetInfo(&free, &total), "asking for free memory");
    return free;
}

std::size_t OpenDevice::total_bytes() const {
    std::size_t free = 0, total = 0;
    require_cuda(cudaMemGetInfo(&free, &total), "asking for the device's memory");
    return total;
}

Status OpenDevice::status() const noexcept {
    return cudaStreamQuery(stream_) == cudaSuccess || cudaPeekAtLastError() == cudaErrorNotReady
               ? Status::ok
               : Status::device_error;
}

DeviceLauncher::~DeviceLauncher() {
    cudaStreamSynchronize(stream());  // nothing that still runs uses what is given back
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
    for (void* block : blocks_) cudaFree(block);
}

void* DeviceLauncher::allocate_bytes(std::size_t bytes) {
    device_->use();
    const std::size_t free = device_->free_bytes();
    if (bytes > free)
        throw Error(Status::out_of_memory,
                    sentence(device_->name(), " has ", free / 1048576, " MiB free, and ", bytes / 1048576 + 1,
                             " MiB more are needed"));
    void* block = nullptr;
    require_cuda(cudaMalloc(&block, bytes == 0 ? 1 : bytes), "allocating memory");
    blocks_.push_back(block);
    return block;
}

void DeviceLauncher::record(const std::function<void()>& work) {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
    graph_ = nullptr;
    require_cuda(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal),
                 "beginning to record a graph");
    cudaGraph_t graph = nullptr;
    try {
        work();
    } catch (...) {  // the capture has to end whatever happened
        cudaStreamEndCapture(stream(), &graph);
        if (graph != nullptr) cudaGraphDestroy(graph);
        throw;
    }
    require_cuda(cudaStreamEndCapture(stream(), &graph), "recording a graph");
    const cudaError_t error = cudaGraphInstantiate(&graph_, graph, 0);
    cudaGraphDestroy(graph);
    require_cuda(error, "making a graph that can be run");
}

double DeviceLauncher::seconds_of_replays(int times) {
    struct Event {
        cudaEvent_t event = nullptr;
        Event() { require_cuda(cudaEventCreate(&event), "making an event"); }
        ~Event() { cudaEventDestroy(event); }
    } begin, end;
    require_cuda(cudaEventRecord(begin.event, stream()), "reading the device's clock");
    for (int i = 0; i < times; ++i) replay();
    require_cuda(cudaEventRecord(end.event, stream()), "reading the device's clock");
    wait();
    float milliseconds = 0;
    require_cuda(cudaEventElapsedTime(&milliseconds, begin.event, end.event), "reading the device's clock");
    return 1e-3 * static_cast<double>(milliseconds);
}

void DeviceLauncher::replay() {
    device_->use();
    if (graph_ != nullptr) require_cuda(cudaGraphLaunch(graph_, stream()), "running a graph");
}

}  // namespace sonolux::cuda

extern "C" {

__attribute__((visibility("default"))) const char* slx_cuda_version() noexcept { return SLX_VERSION; }

__attribute__((visibility("default"))) sonolux::Status slx_cuda_open(
    int index, sonolux::CudaDevice** device, sonolux::cuda::Message* message) noexcept {
    return sonolux::cuda::guarded(message, [&] { *device = new sonolux::cuda::OpenDevice(index); });
}

}  // extern "C"
