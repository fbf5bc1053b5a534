// How somebody proved who they are, by the names of RFC 8176, as sessions keep it and access tokens say it in `amr`. Pure.

/** `pwd` a password, `otp` a code, `mfa` both; `fed`, which the RFC lacks, the shop's identity provider. */
export type Method = 'pwd' | 'otp' | 'mfa' | 'fed';

export const BY_PASSWORD: readonly Method[] = ['pwd'];
export const BY_PROVIDER: readonly Method[] = ['fed'];
export const BY_SECOND_FACTOR: readonly Method[] = ['pwd', 'otp', 'mfa'];

/** Whether somebody with these roles is more than a customer. */
export function worksHere(roles: readonly string[]): boolean {
  return roles.some((role) => role !== 'customer');
}
