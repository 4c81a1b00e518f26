// SPDX-License-Identifier: Apache-2.0
//
// Against generated code: what it serializes is split, what is joined it parses.
#include "wire/large_fields.h"

#include <grpcpp/support/byte_buffer.h>

#include <random>
#include <string>
#include <vector>

#include "candor/v1/segmentation.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wire/segmentation_messages.h"

namespace candor {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr LargeFieldNode kRaw[] = {{v1::RawImage::kDataFieldNumber}};
constexpr LargeFieldNode kImage[] = {{v1::Image::kRawFieldNumber, kRaw}};
constexpr LargeFieldNode kRequest[] = {{v1::SegmentRequest::kImageFieldNumber, kImage}};

std::string RandomBytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

v1::SegmentRequest RawRequest(const std::string& data) {
  v1::SegmentRequest request;
  request.set_model("student");
  v1::RawImage* raw = request.mutable_image()->mutable_raw();
  raw->set_format(v1::NV12);
  raw->set_width(640);
  raw->set_data(data);
  request.set_labels(v1::LABEL_PNG);
  request.mutable_frame()->set_camera("front");
  return request;
}

// In place of the placeholder, if there is a picture at all.
void SetPictureData(const std::string& data, v1::SegmentRequest* request) {
  if (request->image().has_encoded()) request->mutable_image()->set_encoded(data);
  if (request->image().has_raw()) request->mutable_image()->mutable_raw()->set_data(data);
}

// In slices of `slice_bytes`, as a message comes off the network.
grpc::ByteBuffer Buffer(const std::string& bytes, size_t slice_bytes) {
  std::vector<grpc::Slice> slices;
  for (size_t i = 0; i < bytes.size(); i += slice_bytes) slices.emplace_back(bytes.substr(i, slice_bytes));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

TEST(LargeFieldsTest, ARequestKeepsAllButItsPicture) {
  const std::string data = RandomBytes(100'000, 1);
  v1::SegmentRequest encoded = RawRequest("");
  encoded.mutable_image()->set_encoded(data);
  for (const v1::SegmentRequest& request : {RawRequest(data), encoded}) {
    for (const size_t slice_bytes : {7UL, 1000UL, 16384UL, 1UL << 20}) {
      Incoming<v1::SegmentRequest> incoming;
      incoming.bytes = Buffer(request.SerializeAsString(), slice_bytes);
      ASSERT_TRUE(Parse(&incoming));
      EXPECT_EQ(Concatenate(incoming.PictureData(incoming.message)), data) << slice_bytes;
      EXPECT_LT(incoming.split.rest.size(), 100U);
      SetPictureData(data, &incoming.message);
      EXPECT_EQ(incoming.message.SerializeAsString(), request.SerializeAsString());
    }
  }
}

TEST(LargeFieldsTest, ThePixelsAreWhereTheyWereNotCopies) {
  Incoming<v1::SegmentRequest> incoming;
  const grpc::Slice slice(RawRequest(RandomBytes(1000, 2)).SerializeAsString());
  incoming.bytes = grpc::ByteBuffer(&slice, 1);
  ASSERT_TRUE(Parse(&incoming));
  ASSERT_THAT(incoming.PictureData(incoming.message), SizeIs(1));
  EXPECT_GE(incoming.PictureData(incoming.message)[0].data(), reinterpret_cast<const char*>(slice.begin()));
  EXPECT_LE(incoming.PictureData(incoming.message)[0].data() + 1000, reinterpret_cast<const char*>(slice.end()));
}

TEST(LargeFieldsTest, ARequestWithoutPixelsIsParsedAsEver) {
  v1::SegmentRequest request = RawRequest("");
  Incoming<v1::SegmentRequest> incoming;
  incoming.bytes = Buffer(request.SerializeAsString(), 10);
  ASSERT_TRUE(Parse(&incoming));
  EXPECT_THAT(incoming.PictureData(incoming.message), IsEmpty());
  EXPECT_EQ(incoming.message.SerializeAsString(), request.SerializeAsString());

  request.mutable_image()->set_encoded("");
  Incoming<v1::SegmentRequest> encoded;
  encoded.bytes = Buffer(request.SerializeAsString(), 10);
  ASSERT_TRUE(Parse(&encoded));
  EXPECT_THAT(encoded.PictureData(encoded.message), IsEmpty());
  EXPECT_EQ(encoded.message.SerializeAsString(), request.SerializeAsString());
}

// Generated code writes no such field, but it may come: a placeholder there would be taken for pixels.
TEST(LargeFieldsTest, AnEmptyFieldStaysEmpty) {
  v1::RawImage raw;
  raw.set_width(2);
  const auto field = [](char tag, const std::string& contents) {
    return std::string({tag, static_cast<char>(contents.size())}) + contents;
  };
  const std::string with_data = raw.SerializeAsString() + field('\x2a', "");  // RawImage.data
  Incoming<v1::SegmentRequest> incoming;
  incoming.bytes = Buffer(field('\x12', field('\x12', with_data)), 100);  // SegmentRequest.image, Image.raw
  ASSERT_TRUE(Parse(&incoming));
  EXPECT_EQ(incoming.message.image().raw().width(), 2);
  EXPECT_THAT(incoming.message.image().raw().data(), IsEmpty());
  EXPECT_THAT(incoming.PictureData(incoming.message), IsEmpty());
}

// Protobuf's rule for a message in several parts, as it is for generated code.
TEST(LargeFieldsTest, TheLastOfSeveralPartsCounts) {
  v1::SegmentRequest second;
  second.mutable_image()->mutable_raw()->set_data("second");
  const std::string bytes = RawRequest("first").SerializeAsString() + second.SerializeAsString();
  Incoming<v1::SegmentRequest> incoming;
  incoming.bytes = Buffer(bytes, 5);
  ASSERT_TRUE(Parse(&incoming));
  EXPECT_EQ(Concatenate(incoming.PictureData(incoming.message)), "second");
  EXPECT_EQ(incoming.message.image().raw().width(), 640);

  second.mutable_image()->set_encoded("third");
  Incoming<v1::SegmentRequest> replaced;
  replaced.bytes = Buffer(bytes + second.SerializeAsString(), 5);
  ASSERT_TRUE(Parse(&replaced));
  EXPECT_TRUE(replaced.message.image().has_encoded());
  EXPECT_EQ(Concatenate(replaced.PictureData(replaced.message)), "third");
}

TEST(LargeFieldsTest, EveryCutOfAMessageIsDamagedOrParsedAsGeneratedCodeDoes) {
  const std::string whole = RawRequest(RandomBytes(200, 3)).SerializeAsString();
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string part = whole.substr(0, size);
    v1::SegmentRequest expected;
    Incoming<v1::SegmentRequest> incoming;
    incoming.bytes = Buffer(part, 11);
    EXPECT_EQ(Parse(&incoming), expected.ParseFromString(part)) << size;
  }
}

TEST(LargeFieldsTest, FlippedBitsAreDamagedOrParsedAsGeneratedCodeDoes) {
  // Both in one message, as a client may send it: the last one counts.
  v1::SegmentRequest file;
  file.mutable_image()->set_encoded("a file");
  const std::string raw = RawRequest("0123456789").SerializeAsString();
  const std::string whole = raw + file.SerializeAsString() + raw;
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    v1::SegmentRequest expected;
    Incoming<v1::SegmentRequest> incoming;
    incoming.bytes = Buffer(flipped, 4);
    const bool is_parsed = Parse(&incoming);
    ASSERT_EQ(is_parsed, expected.ParseFromString(flipped)) << bit;
    if (!is_parsed) continue;
    SetPictureData(Concatenate(incoming.PictureData(incoming.message)), &incoming.message);
    EXPECT_EQ(incoming.message.SerializeAsString(), expected.SerializeAsString()) << bit;
  }
}

// A tag of seven bytes, of an unknown field, of a large one, and within an unknown group: protobuf's stream reads them,
// generated code does not.
TEST(LargeFieldsTest, TagsOfTooManyBytesAreRefusedAsByGeneratedCode) {
  const std::string request = RawRequest("pixels").SerializeAsString();
  for (const char* field : {"\xf8\x80\x80\x80\x80\x80\x01\x01", "\x92\x80\x80\x80\x80\x80\x01\x02\x18\x01",
                            "\x7b\xf8\x80\x80\x80\x80\x80\x01\x01\x7c"}) {
    const std::string bytes = request + field;
    v1::SegmentRequest expected;
    EXPECT_FALSE(expected.ParseFromString(bytes));
    Incoming<v1::SegmentRequest> incoming;
    incoming.bytes = Buffer(bytes, 9);
    EXPECT_FALSE(Parse(&incoming));
  }
}

// Two bytes a field: a number that no field of ours has, as 0, and as an empty group. Were each to cost more with the
// fields before it, this would take an hour.
TEST(LargeFieldsTest, ManySmallFieldsCostNoMoreThanTheirBytes) {
  for (const char* field : {"\x78\x00", "\x7b\x7c"}) {
    std::string bytes = RawRequest("pixels").SerializeAsString();
    for (int i = 0; i < 2'000'000; ++i) bytes.append(field, 2);
    Incoming<v1::SegmentRequest> incoming;
    incoming.bytes = Buffer(bytes, 1 << 20);
    ASSERT_TRUE(Parse(&incoming));
    EXPECT_EQ(Concatenate(incoming.PictureData(incoming.message)), "pixels");
    EXPECT_GE(incoming.message.ByteSizeLong(), 4'000'000U) << "unknown fields stay";
  }
}

TEST(LargeFieldsTest, MoreLargeFieldsThanAnyMessageHasAreRefused) {
  v1::SegmentRequest request;
  request.mutable_image()->mutable_raw()->set_data("x");
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += request.SerializeAsString();
  Incoming<v1::SegmentRequest> incoming;
  incoming.bytes = Buffer(bytes, 4096);
  EXPECT_FALSE(Parse(&incoming));
}

TEST(LargeFieldsTest, AnAnswerIsWhatGeneratedCodeParses) {
  v1::SegmentResponse expected;
  expected.set_request_id("7");
  expected.set_labels(RandomBytes(5000, 4));
  for (int i = 0; i < 3; ++i) {
    v1::UncertaintyMap* map = expected.add_maps();
    map->set_kind(v1::MARGIN);
    map->set_scale(0.5F + static_cast<float>(i));
    map->set_data(RandomBytes(size_t{1000} * static_cast<size_t>(i), 5));  // the first is empty
  }
  expected.add_statistics()->set_mean(0.25F);

  v1::SegmentResponse response = expected;
  std::vector<grpc::Slice> fields;
  const auto take = [&fields](std::string* field) {
    const std::string contents = *field;
    *field = LargeFieldPlaceholder(fields.size());
    fields.push_back(SliceOf(contents));
  };
  take(response.mutable_labels());
  take(response.mutable_maps(1)->mutable_data());
  take(response.mutable_maps(2)->mutable_data());
  v1::SegmentResponse parsed;
  ASSERT_TRUE(parsed.ParseFromString(BytesOf(Serialize(response, fields))));
  EXPECT_EQ(parsed.SerializeAsString(), expected.SerializeAsString());
}

TEST(LargeFieldsTest, AStreamsMessagesAreTheSameOneLevelDown) {
  const std::string data = RandomBytes(3000, 7);
  v1::StreamRequest request;
  *request.mutable_frame() = RawRequest(data);
  Incoming<v1::StreamRequest> incoming;
  incoming.bytes = Buffer(request.SerializeAsString(), 100);
  ASSERT_TRUE(Parse(&incoming));
  EXPECT_EQ(Concatenate(incoming.PictureData(incoming.message.frame())), data);
  incoming.message.mutable_frame()->mutable_image()->mutable_raw()->set_data(data);
  EXPECT_EQ(incoming.message.SerializeAsString(), request.SerializeAsString());

  for (const bool is_preliminary : {false, true}) {
    v1::StreamResponse response;
    response.set_index(7);
    v1::SegmentResponse* answer = is_preliminary ? response.mutable_preliminary() : response.mutable_result();
    answer->set_labels(LargeFieldPlaceholder(0));
    const std::vector<grpc::Slice> fields = {SliceOf(data)};
    const std::string bytes = BytesOf(Serialize(response, fields));
    answer->set_labels(data);
    v1::StreamResponse parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    EXPECT_EQ(parsed.SerializeAsString(), response.SerializeAsString());
  }
}

TEST(LargeFieldsTest, ARequestIsSentAsGeneratedCodeWould) {
  const std::string data = RandomBytes(5000, 8);
  v1::SegmentRequest expected = RawRequest(data);
  v1::SegmentRequest request = RawRequest(LargeFieldPlaceholder(0));
  const std::vector<grpc::Slice> fields = {SliceOf(data)};
  EXPECT_EQ(BytesOf(Serialize(request, fields)), expected.SerializeAsString());

  expected.mutable_image()->set_encoded(data);
  request.mutable_image()->set_encoded(LargeFieldPlaceholder(0));
  EXPECT_EQ(BytesOf(Serialize(request, fields)), expected.SerializeAsString());

  v1::StreamRequest frame;
  *frame.mutable_frame() = request;
  v1::StreamRequest expected_frame;
  *expected_frame.mutable_frame() = expected;
  EXPECT_EQ(BytesOf(Serialize(frame, fields)), expected_frame.SerializeAsString());
}

TEST(LargeFieldsTest, AnEmptyFileIsSentAsOne) {
  v1::SegmentRequest request;
  request.mutable_image()->set_encoded("");
  EXPECT_EQ(BytesOf(Serialize(request, {})), request.SerializeAsString());
}

TEST(LargeFieldsTest, AnAnswerKeepsAllButLabelsAndMaps) {
  v1::SegmentResponse response;
  response.set_request_id("7");
  response.set_labels(RandomBytes(5000, 9));
  response.add_maps()->set_data(RandomBytes(4000, 10));
  response.add_maps()->set_kind(v1::MARGIN);  // empty
  response.mutable_overlay()->set_data("a picture");
  v1::StreamResponse on_stream;
  *on_stream.mutable_result() = response;
  Incoming<v1::StreamResponse> incoming;
  incoming.bytes = Buffer(on_stream.SerializeAsString(), 100);
  ASSERT_TRUE(Parse(&incoming));
  v1::SegmentResponse* read = incoming.message.mutable_result();
  EXPECT_LT(incoming.split.rest.size(), 100U);
  read->set_labels(Concatenate(incoming.split.Find(read->labels())));
  for (v1::UncertaintyMap& map : *read->mutable_maps()) map.set_data(Concatenate(incoming.split.Find(map.data())));
  EXPECT_EQ(read->SerializeAsString(), response.SerializeAsString());

  Incoming<v1::SegmentResponse> alone;
  alone.bytes = Buffer(response.SerializeAsString(), 100);
  ASSERT_TRUE(Parse(&alone));
  EXPECT_EQ(Concatenate(alone.split.Find(alone.message.labels())), response.labels());
}

TEST(LargeFieldsTest, JoiningUndoesSplitting) {
  const std::string bytes = RawRequest(RandomBytes(3000, 6)).SerializeAsString();
  grpc::ByteBuffer buffer = Buffer(bytes, 100);
  SplitMessage split;
  ASSERT_TRUE(SplitLargeFields(&buffer, kRequest, &split));
  std::vector<grpc::Slice> fields;
  for (const BytePieces& field : split.fields) fields.push_back(SliceOf(Concatenate(field)));
  EXPECT_EQ(BytesOf(JoinLargeFields(split.rest, kRequest, fields)), bytes);
}

TEST(LargeFieldsTest, APlaceholderOfNoFieldIsNotJoined) {
  v1::SegmentResponse response;
  response.set_labels(LargeFieldPlaceholder(1));
  const std::vector<grpc::Slice> one = {SliceOf(std::string("labels"))};
  EXPECT_EQ(Serialize(response, one).Length(), 0U);
  response.set_labels("not a placeholder");
  EXPECT_EQ(Serialize(response, one).Length(), 0U);
}

}  // namespace
}  // namespace candor
