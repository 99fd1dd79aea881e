import { describe, expect, it } from '@jest/globals';
import { codeOfProtocolFault } from './protocol-fault.js';

describe('codeOfProtocolFault', () => {
  it('returns the code that ws closes with', () => {
    expect(codeOfProtocolFault(Object.assign(new Error(), { code: 'WS_ERR_INVALID_UTF8' }))).toBe(1007);
    expect(codeOfProtocolFault(Object.assign(new Error(), { code: 'WS_ERR_EXPECTED_MASK' }))).toBe(1002);
    expect(codeOfProtocolFault(new Error())).toBe(1002);
  });
});
