// `pm2 start ecosystem.config.js` works as well as `.cjs`, which has the configuration.
import config from './ecosystem.config.cjs';

export const { apps } = config;
