import { jest } from '@jest/globals';

// How long that takes which a test starts and waits for is the machine's affair: this limit is for tests that hang.
// It is longer than every wait within a test, which says better what it has waited for.
jest.setTimeout(300_000);
