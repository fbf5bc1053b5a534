// `npm run generate`: the code of the contracts in proto/, then the page of permissions that is made of them and of the code.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readContract } from './contracts.ts';
import { generate } from './generate-proto.ts';
import { PERMISSIONS_PAGE, permissionsPage, readAccess, readGrants } from './permissions.ts';
import { ROOT } from './projects.ts';

generate();
const page = permissionsPage(readAccess(await readContract(), ROOT), await readGrants(ROOT));
writeFileSync(join(ROOT, PERMISSIONS_PAGE), page);
