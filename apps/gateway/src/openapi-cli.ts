/** Writes the OpenAPI document to the file that is named, or to standard output. */
import { writeFileSync } from 'node:fs';
import { createLogger } from '@souk/telemetry';
import { gatewayConfig } from './config.js';
import { createGateway } from './gateway.js';
import { openApiDocument } from './openapi.js';

const app = await createGateway(
  gatewayConfig({ SOUK_SERVICE_TOKEN: 'only-to-write-the-document' }),
  createLogger('openapi'),
);
writeFileSync(process.argv[2] ?? '/dev/stdout', `${JSON.stringify(openApiDocument(app), undefined, 2)}\n`);
await app.close();
