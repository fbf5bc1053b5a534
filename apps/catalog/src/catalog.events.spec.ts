import { readFileSync } from 'node:fs';
import { workspacePath } from '@souk/testing';
import { productChanged, productDeleted, variantAdded } from './catalog.events.js';

const productId = '0199b1a2-6c1e-7d3a-9f42-5a0c7be1d210';
const slug = 'brass-lantern';

const facts = [
  { event: variantAdded({ sku: 'BRASS-LANTERN-S', productId, openingStock: 12 }), about: 'BRASS-LANTERN-S' },
  { event: productChanged({ productId, slug, version: 3 }), about: productId },
  { event: productDeleted({ productId, slug }), about: productId },
];

test.each(facts)('publishes $event.type as its consumers know it', ({ event, about }) => {
  const fixture = readFileSync(workspacePath(`proto/fixtures/${event.type}.json`), 'utf8');
  expect(event.data).toEqual(JSON.parse(fixture));
  expect(event.aggregateId).toBe(about);
});
