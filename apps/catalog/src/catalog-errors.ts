import { DomainError } from '@souk/errors';

export function productNotFound(product: string): DomainError {
  return new DomainError({
    kind: 'not_found',
    reason: 'PRODUCT_NOT_FOUND',
    message: 'There is no such product.',
    metadata: { product },
  });
}

export function versionMismatch(expected: number, actual: number): DomainError {
  return new DomainError({
    kind: 'mismatch',
    reason: 'VERSION_MISMATCH',
    message: 'The product was changed in the meantime; read it again.',
    metadata: { expected: String(expected), actual: String(actual) },
  });
}

export function slugTaken(slug: string): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'SLUG_TAKEN',
    message: 'Another product has this slug.',
    metadata: { slug },
  });
}

export function skuTaken(skus: readonly string[]): DomainError {
  return new DomainError({
    kind: 'conflict',
    reason: 'SKU_TAKEN',
    message: 'Another product sells a variant under this SKU.',
    metadata: { skus: skus.slice(0, 20).join(', ') },
  });
}

export function importNotFound(importId: string): DomainError {
  return new DomainError({
    kind: 'not_found',
    reason: 'IMPORT_NOT_FOUND',
    message: 'There is no such import.',
    metadata: { importId },
  });
}
