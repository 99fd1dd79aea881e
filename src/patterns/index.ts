export { glob } from './glob.js';
export { PathPattern } from './path-pattern.js';
export { groupNames, isRegex, regex, regexGroups, type TextGroups, type TextTest } from './regex.js';
export { checkGlob, PatternTooLongError } from './pattern-limits.js';
