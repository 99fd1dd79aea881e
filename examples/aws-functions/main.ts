import { serve } from './adapter.js';
import { handler } from './handler.js';

serve(handler, 4000);
