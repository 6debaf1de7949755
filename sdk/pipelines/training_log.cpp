// sonolux/sdk/pipelines/training_log.cpp
#include <sonolux/sdk/pipelines/training_log.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace sonolux {

TrainingLog::TrainingLog(const std::filesystem::path& folder, std::uintmax_t metrics_bytes,
                         std::uintmax_t events_bytes, const ValidationFigure& figure)
    : figure_(figure), path_(folder / "metrics.csv"), events_(folder / training_events_name, events_bytes) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path_, error);
    const bool resume = !error && metrics_bytes > 0 && size >= metrics_bytes;
    if (resume) {
        std::filesystem::resize_file(path_, metrics_bytes, error);
        require(!error, Status::file_error, path_.string(), ": cannot be shortened to ", metrics_bytes,
                " bytes: ", error.message());
    }
    file_.reset(std::fopen(path_.c_str(), resume ? "ab" : "wb"));
    require(file_ != nullptr, Status::file_error, path_.string(),
            ": cannot be written: ", std::strerror(errno));
    bytes_ = resume ? metrics_bytes : 0;
    if (!resume) append(fmt::format("step,phase,loss,learning_rate,{},seconds\n", figure.column));
}

void TrainingLog::append(const std::string& line) {
    require(std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size(), Status::file_error,
            path_.string(), ": cannot be written: ", std::strerror(errno));
    bytes_ += line.size();
}

void TrainingLog::add(const StepReport& report, const std::string& phase, double seconds) {
    const std::string psnr =
        report.validation_psnr ? fmt::format("{:.6f}", figure_.factor * *report.validation_psnr) : "";
    append(fmt::format("{},{},{:.9g},{:.6g},{},{:.1f}\n", report.step, phase, report.loss,
                       report.learning_rate, psnr, seconds));
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    events_.add_scalar("training/loss", report.loss, report.step, now);
    events_.add_scalar("training/learning_rate", report.learning_rate, report.step, now);
    if (report.validation_psnr)
        events_.add_scalar(figure_.event, figure_.factor * *report.validation_psnr, report.step, now);
}

void TrainingLog::flush(std::uintmax_t& metrics_bytes, std::uintmax_t& events_bytes) {
    require(std::fflush(file_.get()) == 0 && ::fsync(::fileno(file_.get())) == 0, Status::file_error,
            path_.string(), ": cannot be written: ", std::strerror(errno));
    metrics_bytes = bytes_;
    events_bytes = events_.flush();
}

}  // namespace sonolux
