import { setImmediate as turn } from 'node:timers/promises';
import { callContext, currentContext, runInContext } from './call-context.js';

describe('the call context', () => {
  it('is seen by all that is awaited, and by nothing else', async () => {
    const context = { requestId: 'r1', traceparent: 't1', caller: 'gateway' };
    const seen = await runInContext(context, async () => {
      await turn();
      return callContext();
    });
    expect(seen).toBe(context);
    expect(currentContext()).toBeUndefined();
  });

  it('keeps calls that run at the same time apart', async () => {
    const ask = (requestId: string) =>
      runInContext({ requestId, traceparent: 't' }, async () => {
        await turn();
        return callContext().requestId;
      });
    await expect(Promise.all([ask('a'), ask('b')])).resolves.toEqual(['a', 'b']);
  });

  it('is a fresh background context outside of a call', () => {
    const { requestId, traceparent, principal } = callContext();
    expect(requestId).not.toBe(callContext().requestId);
    expect(traceparent).toMatch(/^00-/);
    expect(principal).toBeUndefined();
  });
});
