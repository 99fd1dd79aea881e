import { describeLibrary } from '../../clients/describe-library.js';
import { centrifugeJs } from '../../clients/libraries.js';

describeLibrary(centrifugeJs);
