import { address, loadConfig } from '@souk/config';
import { dataFields, serviceFields } from '@souk/service';

/** What the service reads from its environment. */
export function inventoryConfig(env: NodeJS.ProcessEnv = process.env) {
  return loadConfig(
    {
      ...serviceFields,
      ...dataFields,
      SOUK_IDENTITY_ADDRESS: address(),
    },
    env,
  );
}

export type InventoryConfig = ReturnType<typeof inventoryConfig>;
