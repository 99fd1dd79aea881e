export { JsonScanner } from './json-scanner.js';
export { checkJson, isJson, isJsonObject, membersOf, onOneLine } from './json-text.js';
export { DeepJsonError, MalformedJsonError } from './json.errors.js';
export { KeyTable } from './key-table.js';
