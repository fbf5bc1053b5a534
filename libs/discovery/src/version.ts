/** Which Souk runs: SOUK_VERSION, which an image is built with, or that it is one that is being developed. */
export function soukVersion(env: NodeJS.ProcessEnv = process.env): string {
  return env['SOUK_VERSION'] || 'development';
}
