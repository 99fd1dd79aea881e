import { describeLibrary } from '../../clients/describe-library.js';
import { centrifugePython } from '../../clients/libraries.js';

describeLibrary(centrifugePython);
