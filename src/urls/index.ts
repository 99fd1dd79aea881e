export { redactUrls, splitUserInfo, type UrlWithUserInfo } from './user-info.js';
