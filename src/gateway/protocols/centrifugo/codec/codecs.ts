import type { Codec } from './codec.js';
import { decodeJsonFrame } from './json-decoder.js';
import {
  encodeJsonError,
  encodeJsonPublicationPush,
  encodeJsonPush,
  encodeJsonResult,
  jsonPing,
} from './json-encoder.js';
import { decodeProtobufFrame } from './protobuf-decoder.js';
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
  decodeFrame: decodeJsonFrame,
  encodeResult: encodeJsonResult,
  encodeError: encodeJsonError,
  encodePush: encodeJsonPush,
  encodePublicationPush: encodeJsonPublicationPush,
  ping: jsonPing,
};

export const protobufCodec: Codec = {
  encoding: 'protobuf',
  isText: false,
  decodeFrame: decodeProtobufFrame,
  encodeResult: encodeProtobufResult,
  encodeError: encodeProtobufError,
  encodePush: encodeProtobufPush,
  encodePublicationPush: encodeProtobufPublicationPush,
  ping: protobufPing,
};
