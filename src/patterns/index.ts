export { glob } from './glob.js';
export { isRegex, regex, type TextTest } from './regex.js';
