import { type DynamicModule, Module } from '@nestjs/common';
import type { ConsumerFiles } from './consumer-files.js';

/** Makes the bus available to the Nest modules of the files, which cannot import it. */
@Module({})
class BusForConsumerFiles {}

/** The classes that were loaded from files. The bus that it imports finds the consumers among them. */
@Module({})
export class ConsumerFilesModule {
  static forRoot(files: ConsumerFiles, bus: DynamicModule): DynamicModule {
    const visible = { module: BusForConsumerFiles, global: true, imports: [bus], exports: [bus] };
    return {
      module: ConsumerFilesModule,
      imports: [bus, visible, ...files.modules],
      providers: [...files.providers],
    };
  }
}
