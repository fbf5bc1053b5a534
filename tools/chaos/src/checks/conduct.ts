import { isShared } from '../sharing.ts';
import type { World } from '../world.ts';
import { judge, type Verdict } from './verdict.ts';

/** How the shop behaved while things broke, whatever became of the orders. */
export function checkConduct(world: World): Verdict[] {
  return [foreseesItsErrors(world), livesOn(world), sharesItsWork(world)];
}

/** Whoever can't be served is told to come back; a 500 is an error that nobody thought of. */
function foreseesItsErrors({ operations }: World): Verdict {
  return judge('-', 'no client was answered with an error that nobody foresaw', (expect) => {
    for (const { kind, actor, began, status, reason } of operations) {
      expect(status !== 500, () => `${kind} of ${actor} at ${began} ms was answered with 500 ${reason ?? ''}`);
    }
  });
}

function livesOn({ crashes }: World): Verdict {
  return judge('-', 'no process ended but those that were killed', (expect) => {
    expect(crashes.length === 0, () => crashes.join(', '));
  });
}

function sharesItsWork({ sharings }: World): Verdict {
  return judge('-', 'replicas share the work of each caller', (expect) => {
    for (const sharing of sharings) {
      const { caller, service, busy, shared, sent } = sharing;
      expect(
        isShared(sharing),
        () => `${caller} gave work to all of ${service} in ${shared} of ${busy} s; bytes to each: ${sent.join(', ')}`,
      );
    }
  });
}
