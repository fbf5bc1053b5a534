/**
 * The names of services in certificates: one URI, `spiffe://souk/<service>`, among the alternative names. A certificate
 * with another URI, or with more than one, names no service.
 */
const SERVICE_URI = /^URI:spiffe:\/\/souk\/([a-z][a-z0-9-]*)$/;

/**
 * The service that a certificate names.
 * @param alternativeNames as Node writes them: `URI:spiffe://souk/orders, DNS:localhost`
 */
export function namedService(alternativeNames: string | undefined): string | undefined {
  // Node quotes a name that holds a comma or a quote; what stands in it may look like another name.
  if (!alternativeNames || alternativeNames.includes('"')) return undefined;
  const uris = alternativeNames.split(', ').filter((name) => name.startsWith('URI:'));
  return uris.length === 1 ? SERVICE_URI.exec(uris[0] ?? '')?.[1] : undefined;
}
