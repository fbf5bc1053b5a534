// Judges package-lock.json without a network: licences of what is delivered, and that each package is held to a hash.

export interface LockFile {
  packages: Record<string, Locked>;
}

interface Locked {
  link?: boolean;
  dev?: boolean;
  license?: string;
  integrity?: string;
  resolved?: string;
}

/** Those that ask for no more than to be named. */
const PERMISSIVE = new Set([
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC', 'MIT', 'MIT-0'],
  ...['Python-2.0', 'Unlicense', 'Zlib'],
]);

export function licenceProblems(lock: LockFile): string[] {
  return packagesOf(lock)
    .filter(([, { dev, license }]) => !dev && !isPermissive(license ?? ''))
    .map(([name, { license }]) => `${name} has the licence ${license ?? 'that its author did not name'}.`);
}

export function integrityProblems(lock: LockFile): string[] {
  return packagesOf(lock).flatMap(([name, { integrity, resolved }]) => [
    ...(integrity?.startsWith('sha512-') ? [] : [`${name} is held to no SHA-512 hash.`]),
    ...(resolved === undefined || resolved.startsWith('https://') ? [] : [`${name} comes from ${resolved}.`]),
  ]);
}

/** Of an SPDX expression, all of what is joined by AND, and one of what is joined by OR. */
export function isPermissive(expression: string): boolean {
  const plain = expression.replace(/[()]/g, '').trim();
  return plain.split(' OR ').some((choice) => choice.split(' AND ').every((part) => PERMISSIVE.has(part.trim())));
}

function packagesOf(lock: LockFile): [string, Locked][] {
  return Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);
}
