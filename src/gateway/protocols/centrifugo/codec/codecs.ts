import type { Codec } from './codec.js';
import { JsonFrameReader } from './json-decoder.js';
import {
  encodeJsonError,
  encodeJsonPublicationPush,
  encodeJsonPush,
  encodeJsonResult,
  jsonPing,
} from './json-encoder.js';
import { ProtobufFrameReader } from './protobuf-decoder.js';
import {
  encodeProtobufError,
  encodeProtobufPublicationPush,
  encodeProtobufPush,
  encodeProtobufResult,
  protobufPing,
} from './protobuf-encoder.js';

export const jsonCodec: Codec = {
  encoding: 'json',
  isText: true,
  readFrame: (frame) => new JsonFrameReader(frame),
  encodeResult: encodeJsonResult,
  encodeError: encodeJsonError,
  encodePush: encodeJsonPush,
  encodePublicationPush: encodeJsonPublicationPush,
  ping: jsonPing,
};

export const protobufCodec: Codec = {
  encoding: 'protobuf',
  isText: false,
  readFrame: (frame) => new ProtobufFrameReader(frame),
  encodeResult: encodeProtobufResult,
  encodeError: encodeProtobufError,
  encodePush: encodeProtobufPush,
  encodePublicationPush: encodeProtobufPublicationPush,
  ping: protobufPing,
};
