#include "runtime/log.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "runtime/daemon/documents.h"

namespace ginnel::runtime {
namespace {

using config::LogFormat;
using config::LogLevel;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// systemd.exec(5): JOURNAL_STREAM is "DEVICE:INODE" of the stream to the journal; standard error
// may have been redirected since.
bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat own {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &own) != 0) return false;
  return stream == std::to_string(own.st_dev) + ":" + std::to_string(own.st_ino);
}

class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string line = json_log_line(rfc3339(message.time), {level.data(), level.size()},
                                           {message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

// Any thread; the ring has its own lock.
class RingSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit RingSink(const control_api::LineRing& ring) : ring_(ring) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto level = spdlog::level::to_string_view(message.level);
    ring_.add(json_log_line(rfc3339(message.time), {level.data(), level.size()},
                            {message.payload.data(), message.payload.size()}));
  }
  void flush_() override {}

  control_api::LineRing ring_;
};

std::shared_ptr<spdlog::logger> make_logger(LogFormat format) {
  if (format == LogFormat::kAuto && stderr_is_the_journal()) format = LogFormat::kJournald;
  if (format == LogFormat::kJournald) {
    auto sink = std::make_shared<spdlog::sinks::systemd_sink_mt>("ginnel");
    return std::make_shared<spdlog::logger>("ginnel", std::move(sink));
  }
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("ginnel", std::move(sink));
  if (format == LogFormat::kJson) {
    logger->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  }
  return logger;
}

}  // namespace

void open_log(const config::Config::Log& log, const control_api::LineRing* ring) {
  auto logger = make_logger(log.format);
  if (ring) logger->sinks().push_back(std::make_shared<RingSink>(*ring));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  set_log_level(log.level);
}

void set_log_level(LogLevel level) { spdlog::set_level(level_of(level)); }

std::string json_log_line(std::string_view time, std::string_view level, std::string_view text) {
  const nlohmann::ordered_json line{{"v", 1}, {"time", time}, {"level", level}, {"text", text}};
  // Texts may quote bytes from elsewhere that are no UTF-8; dump() would throw at them.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace ginnel::runtime
