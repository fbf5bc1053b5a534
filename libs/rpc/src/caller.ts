import { GUEST, type Principal } from '@souk/auth';
import { callContext } from '@souk/telemetry';

/** On whose behalf the present call is made. */
export function currentPrincipal(): Principal {
  return (callContext().principal as Principal | undefined) ?? GUEST;
}
