// The C interface as libginnel.so shows it. Two nodes talk in tests/scenario/examples.py.
#include <ginnel/error.h>
#include <ginnel/ginnel_c.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>

namespace {

// A folder without an identity, for as long as a test runs.
class CAbiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ginnel-c-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    options_.dir = dir_.c_str();
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string dir_;
  ginnel_options options_ = GINNEL_OPTIONS_INIT;
  ginnel_error error_ = GINNEL_ERROR_INIT;
};

TEST_F(CAbiTest, AFolderWithoutIdentityCannotBeOpened) {
  EXPECT_EQ(ginnel_open(&options_, &error_), nullptr);
  EXPECT_EQ(error_.code, GINNEL_E_NOT_JOINED);
  EXPECT_STREQ(error_.name, "E_NOT_JOINED");
  EXPECT_NE(std::strstr(error_.text, dir_.c_str()), nullptr);
  EXPECT_GT(std::strlen(error_.hint), 0u);
}

TEST_F(CAbiTest, WhereNoDaemonIsThereIsNothingToAttachTo) {
  EXPECT_EQ(ginnel_attach(dir_.c_str(), &error_), nullptr);
  EXPECT_EQ(error_.code, GINNEL_E_NOT_RUNNING);
}

TEST_F(CAbiTest, NobodyHasToAskForTheError) {
  EXPECT_EQ(ginnel_open(&options_, nullptr), nullptr);
  EXPECT_EQ(ginnel_attach(dir_.c_str(), nullptr), nullptr);
}

// An older program's ginnel_options ended before timeout_ms: what lies behind it is not its own.
TEST_F(CAbiTest, AnOlderProgramsOptionsAreReadUpToTheirSize) {
  options_.size = offsetof(ginnel_options, timeout_ms);
  options_.loop = 99;
  EXPECT_EQ(ginnel_open(&options_, &error_), nullptr);
  EXPECT_EQ(error_.code, GINNEL_E_NOT_JOINED);
}

struct NewerOptions {
  ginnel_options known;
  long unknown;
};

TEST_F(CAbiTest, ANewerProgramsOptionsAreTakenUnlessTheyAskForMore) {
  NewerOptions newer{options_, 0};
  newer.known.size = sizeof newer;
  EXPECT_EQ(ginnel_open(&newer.known, &error_), nullptr);
  EXPECT_EQ(error_.code, GINNEL_E_NOT_JOINED);
  newer.unknown = 1;
  EXPECT_EQ(ginnel_open(&newer.known, &error_), nullptr);
  EXPECT_EQ(error_.code, GINNEL_E_USAGE);
}

TEST_F(CAbiTest, OptionsOfNoSizeAreRefused) {
  options_.size = 0;
  EXPECT_EQ(ginnel_join(&options_, &error_), nullptr);
  EXPECT_EQ(error_.code, GINNEL_E_USAGE);
}

// Only what the caller's struct has room for is written, and its size stays.
TEST_F(CAbiTest, AnErrorStaysInsideItsSize) {
  error_.size = offsetof(ginnel_error, text);
  error_.text[0] = '#';
  EXPECT_EQ(ginnel_open(&options_, &error_), nullptr);
  EXPECT_STREQ(error_.name, "E_NOT_JOINED");
  EXPECT_EQ(error_.text[0], '#');
  EXPECT_EQ(error_.size, offsetof(ginnel_error, text));
}

TEST(CAbi, EachErrorCodeHasANumberOfItsOwnAndTheSameName) {
  for (int i = 0; i <= static_cast<int>(ginnel::Errc::kInternal); ++i) {
    const std::string wanted(ginnel::code_name(static_cast<ginnel::Errc>(i)));
    int found = 0;
    for (int code = 1; code <= GINNEL_E_INTERNAL; ++code) {
      found += wanted == ginnel_code_name(code);
    }
    EXPECT_EQ(found, 1) << wanted;
  }
  EXPECT_STREQ(ginnel_code_name(GINNEL_OK), "OK");
  EXPECT_STREQ(ginnel_code_name(GINNEL_E_WOULD_BLOCK), "E_WOULD_BLOCK");
  EXPECT_STREQ(ginnel_code_name(-1), "E_INTERNAL");
}

TEST(CAbi, ACallWithoutANodeIsRefused) {
  ginnel_error error = GINNEL_ERROR_INIT;
  EXPECT_EQ(ginnel_send(nullptr, "bob", "chat", "x", 1, &error), GINNEL_E_USAGE);
  EXPECT_EQ(ginnel_on_message(nullptr, "chat", nullptr, nullptr, &error), nullptr);
  EXPECT_EQ(ginnel_poll(nullptr, 0, &error), GINNEL_E_USAGE);
  EXPECT_EQ(ginnel_fd(nullptr), -1);
  ginnel_close(nullptr);
  ginnel_unsubscribe(nullptr);
  ginnel_request_free(nullptr);
}

TEST(CAbi, TheLibraryIsOfTheHeadersVersion) {
  EXPECT_EQ(ginnel_abi_version(), GINNEL_ABI_VERSION);
}

}  // namespace
