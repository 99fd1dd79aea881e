import { jest } from '@jest/globals';

// This timeout only catches tests that hang, because speed depends on the machine. It is longer than every wait inside a
// test: those have better error messages.
jest.setTimeout(300_000);
