import { Injectable, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { httpSchemas, type SchemaRegistry } from '../http.schemas.js';

export type OpenApiPaths = OpenAPIObject['paths'];
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** What a module adds to the OpenAPI document, in addition to its controllers, which Nest finds. */
export interface OpenApiPart {
  readonly schemas?: SchemaRegistry;
  readonly paths?: OpenApiPaths;
}

/** The OpenAPI document, assembled from the parts that modules contribute. */
@Injectable()
export class OpenApi {
  readonly #parts: OpenApiPart[] = [{ schemas: httpSchemas }];

  add(part: OpenApiPart): void {
    this.#parts.push(part);
  }

  create(app: INestApplication, version: string): OpenAPIObject {
    const config = new DocumentBuilder()
      .setTitle('Carillon')
      .setVersion(version)
      .setDescription('Pushes messages to connected clients, immediately or at a given time.')
      .addBearerAuth({
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'API key',
        description: 'An API key of `trigger.apiKeys`.',
      })
      .addApiKey(
        { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key of `trigger.apiKeys`.' },
        'X-API-Key',
      )
      .build();
    const document = SwaggerModule.createDocument(app, config, { autoTagControllers: false });
    for (const { schemas, paths } of this.#parts) {
      document.paths = { ...document.paths, ...paths };
      const { components } = document;
      if (schemas !== undefined)
        document.components = { ...components, schemas: { ...components?.schemas, ...schemasOf(schemas) } };
    }
    return document;
  }
}

function schemasOf(registry: SchemaRegistry): Schemas {
  const options = { target: 'openapi-3.0', uri: pathOf } as const;
  return z.toJSONSchema(registry, options).schemas as Schemas;
}

/** Refers to a registered schema by its id in the document. */
export function schemaRef(registry: SchemaRegistry, schema: z.ZodType): { $ref: string } {
  const { id } = registry.get(schema) ?? {};
  if (id === undefined) throw new Error('the schema is not in the registry');
  return { $ref: pathOf(id) };
}

function pathOf(id: string): string {
  return `#/components/schemas/${id}`;
}
