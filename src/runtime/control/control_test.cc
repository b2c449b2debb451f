// Client and server over a real socket in a folder of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "runtime/control/client.h"
#include "runtime/control/error_document.h"
#include "runtime/control/server.h"

namespace ginnel::control_api {
namespace {

using namespace std::chrono_literals;

class Control : public testing::Test {
 protected:
  Control() {
    std::string name = "/tmp/ginnel-control-" + std::to_string(getpid()) + "-XXXXXX";
    dir_ = mkdtemp(name.data());
    path_ = dir_ / "ginnel.sock";
  }
  ~Control() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }
  void serve(Handler handler, const ServerOptions& options = {}) {
    server_ = Server::listen(path_, std::move(handler), options).value();
  }
  Client client() {
    Client out = Client::connect(path_).value();
    out.set_timeout(10s);
    return out;
  }
  int raw() {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static std::string read_all(int fd) {
    std::string out;
    char bytes[4096];
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
      out.append(bytes, static_cast<std::size_t>(n));
    return out;
  }

  std::filesystem::path dir_, path_;
  std::unique_ptr<Server> server_;
};

TEST_F(Control, ARequestGetsItsAnswer) {
  serve([](const Request& r, const Responder& responder) {
    responder.ok(r.method + " " + r.target + " " + r.body + " " + std::to_string(r.uid));
  });
  Client c = client();
  const std::string uid = std::to_string(getuid());
  EXPECT_EQ(c.call({"GET", "/v1/status"}).value(), "GET /v1/status  " + uid);
  EXPECT_EQ(c.call({"POST", "/v1/msg", "{}"}).value(), "POST /v1/msg {} " + uid);
}

TEST_F(Control, OneConnectionCarriesManyRequests) {
  serve([](const Request& r, const Responder& responder) { responder.ok(r.body); });
  Client c = client();
  for (int i = 0; i < 2000; ++i)
    ASSERT_EQ(c.call({"POST", "/", std::to_string(i)}).value(), std::to_string(i));
}

// docs/cli.md: "ginnel.sock (HTTP/1.1 with JSON, mode 0660)".
TEST_F(Control, TheSocketIsForOwnerAndGroupOnly) {
  serve([](const Request&, const Responder& r) { r.ok(""); });
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
}

TEST_F(Control, AnErrorComesBackAsTheErrorItWas) {
  serve([](const Request&, const Responder& r) {
    r.answer(404, error_document({Errc::kUnknownPeer, "no peer \"x\"", "ginnel peers"}));
  });
  const auto answer = client().call({"GET", "/v1/why/x"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kUnknownPeer);
  EXPECT_EQ(answer.error().text, "no peer \"x\"");
  EXPECT_EQ(answer.error().hint, "ginnel peers");
}

TEST_F(Control, NoDaemonIsNotRunning) {
  EXPECT_EQ(Client::connect(path_).error().code, Errc::kNotRunning);
}

// docs/cli.md: "After kill -9 `up` starts again in the same DIR without any manual step."
TEST_F(Control, ASocketThatAKilledDaemonLeftIsReplaced) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  ASSERT_TRUE(std::filesystem::exists(path_));
  EXPECT_EQ(Client::connect(path_).error().code, Errc::kNotRunning);
  serve([](const Request&, const Responder& r) { r.ok("new"); });
  EXPECT_EQ(client().call({"GET", "/"}).value(), "new");
}

TEST_F(Control, ASecondDaemonIsRefused) {
  serve([](const Request&, const Responder& r) { r.ok("first"); });
  const auto second = Server::listen(path_, [](const Request&, const Responder&) {});
  EXPECT_EQ(second.error().code, Errc::kAlreadyRunning);
  EXPECT_EQ(client().call({"GET", "/"}).value(), "first");
}

TEST_F(Control, ANormalEndRemovesTheSocket) {
  serve([](const Request&, const Responder& r) { r.ok(""); });
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Control, AStreamArrivesLineByLine) {
  serve([](const Request&, const Responder& r) {
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(r.write_line(std::to_string(i)));
    r.finish();
  });
  int next = 0;
  Client c = client();
  ASSERT_TRUE(c.stream({"POST", "/v1/sub"},
                       [&](std::string_view line) { return line == std::to_string(next++); }));
  EXPECT_EQ(next, 1000);
}

TEST_F(Control, AnAnswerMayComeLaterAndFromAnotherThread) {
  std::thread late;
  serve([&](const Request&, Responder r) {
    late = std::thread([r = std::move(r)] { r.ok("late"); });
  });
  EXPECT_EQ(client().call({"GET", "/"}).value(), "late");
  late.join();
}

TEST_F(Control, AHandlerThatForgetsToAnswerIsAnInternalError) {
  serve([](const Request&, const Responder&) {});
  EXPECT_EQ(client().call({"GET", "/"}).error().code, Errc::kInternal);
}

TEST_F(Control, AClientThatGoesAwayCancelsItsCall) {
  std::promise<void> gone;
  std::vector<Responder> kept;
  serve([&](const Request&, const Responder& r) {
    kept.push_back(r);
    r.on_cancelled([&] { gone.set_value(); });
    r.write_line("first");
  });
  {
    Client c = client();
    ASSERT_TRUE(c.stream({"POST", "/v1/sub"}, [](std::string_view) { return false; }));
  }
  ASSERT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(kept.at(0).cancelled());
  EXPECT_FALSE(kept.at(0).write_line("second"));
  kept.clear();
}

TEST_F(Control, TheDaemonLearnsWhichLinesWereTaken) {
  std::mutex mutex;
  std::size_t taken = 0;
  serve([&](const Request&, const Responder& r) {
    r.on_taken([&, r](std::size_t lines) {
      const std::lock_guard lock(mutex);
      taken += lines;
      if (taken == 3) r.finish();
    });
    for (const char* line : {"a", "b", "c"}) r.write_line(line);
  });
  Client c = client();
  std::string seen;
  ASSERT_TRUE(c.stream({"POST", "/v1/sub"}, [&](std::string_view line) {
    seen += line;
    c.taken();
    return true;
  }));
  EXPECT_EQ(seen, "abc");
  EXPECT_EQ(taken, 3u);
}

TEST_F(Control, ARequestOverTheLimitIsRefused) {
  serve([](const Request&, const Responder& r) { r.ok(""); });
  const auto answer = client().call({"POST", "/", std::string(kRequestBodyMax + 1, 'x')});
  EXPECT_EQ(answer.error().code, Errc::kUsage);
  Client largest = client();
  EXPECT_TRUE(largest.call({"POST", "/", std::string(kRequestBodyMax, 'x')}));
}

TEST_F(Control, WhatIsNoHttpIsRefused) {
  serve([](const Request&, const Responder& r) { r.ok(""); });
  const int fd = raw();
  ASSERT_GT(write(fd, "\x16\x03\x01 hello\r\n\r\n", 14), 0);
  EXPECT_THAT(read_all(fd), testing::HasSubstr("400 Bad Request"));
  close(fd);
}

TEST_F(Control, ARequestThatNeverEndsIsDropped) {
  serve([](const Request&, const Responder& r) { r.ok(""); }, {.io_timeout = 100ms});
  const int fd = raw();
  ASSERT_GT(write(fd, "GET / HT", 8), 0);
  EXPECT_EQ(read_all(fd), "");
  close(fd);
}

TEST_F(Control, AnIdleConnectionIsDropped) {
  serve([](const Request&, const Responder& r) { r.ok("x"); }, {.idle_timeout = 100ms});
  const int fd = raw();
  ASSERT_GT(write(fd, "GET / HTTP/1.1\r\nHost: g\r\n\r\n", 27), 0);
  EXPECT_THAT(read_all(fd), testing::EndsWith("x"));
  close(fd);
}

TEST_F(Control, AStreamThatNobodyReadsIsDropped) {
  std::promise<void> gone;
  std::vector<Responder> kept;
  serve(
      [&](const Request&, const Responder& r) {
        kept.push_back(r);
        r.on_cancelled([&] { gone.set_value(); });
        while (r.write_line(std::string(10'000, 'x'))) {
        }
      },
      {.stream_bytes_max = 1'000'000});
  const int fd = raw();
  ASSERT_GT(write(fd, "GET / HTTP/1.1\r\nHost: g\r\n\r\n", 27), 0);
  EXPECT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
  close(fd);
  server_.reset();
}

TEST_F(Control, ManyClientsAreServedSideBySide) {
  serve([](const Request& r, const Responder& responder) { responder.ok(r.body); });
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      Client c = client();
      for (int i = 0; i < 50; ++i)
        right += c.call({"POST", "/", std::to_string(t)}).value() == std::to_string(t);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 16 * 50);
}

TEST_F(Control, ConnectionsOverTheLimitWaitForOthersToEnd) {
  serve([](const Request& r, const Responder& responder) { responder.ok(r.body); });
  std::vector<int> held;
  for (std::size_t i = 0; i < kConnectionsMax; ++i) held.push_back(raw());
  {
    Client late = client();
    late.set_timeout(200ms);
    EXPECT_EQ(late.call({"GET", "/"}).error().code, Errc::kTimeout);
  }
  close(held.back());
  held.pop_back();
  EXPECT_TRUE(client().call({"GET", "/"}));
  for (const int fd : held) close(fd);
}

TEST_F(Control, AnAnswerAfterTheServersEndDoesNothing) {
  std::vector<Responder> kept;
  std::promise<void> arrived;
  serve([&](const Request&, const Responder& r) {
    kept.push_back(r);
    arrived.set_value();
  });
  Client c = client();
  std::thread asking([&] { EXPECT_EQ(c.call({"GET", "/"}).error().code, Errc::kNotRunning); });
  arrived.get_future().wait();
  server_.reset();
  asking.join();
  kept.at(0).ok("too late");
  kept.clear();
}

TEST_F(Control, AWaitCanBeInterrupted) {
  std::vector<Responder> kept;
  serve([&](const Request&, const Responder& r) { kept.push_back(r); });
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  Client c = client();
  c.set_interrupt_fd(pipe_fds[0]);
  ASSERT_EQ(write(pipe_fds[1], "x", 1), 1);
  EXPECT_EQ(c.call({"POST", "/v1/wait"}).error().code, Errc::kCancelled);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
  server_.reset();
}

TEST_F(Control, APathThatNoSocketCanHaveIsAFileError) {
  const auto path = dir_ / std::string(200, 'x') / "ginnel.sock";
  EXPECT_EQ(Server::listen(path, [](const Request&, const Responder&) {}).error().code,
            Errc::kFile);
}

}  // namespace
}  // namespace ginnel::control_api
