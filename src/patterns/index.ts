export { glob } from './glob.js';
export { PathPattern } from './path-pattern.js';
export { isRegex, regex, type TextTest } from './regex.js';
export { checkGlob, PatternTooLongError } from './pattern-limits.js';
