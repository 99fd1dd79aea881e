import { describeLibrary } from '../../clients/describe-library.js';
import { centrifugeGo } from '../../clients/libraries.js';

describeLibrary(centrifugeGo);
