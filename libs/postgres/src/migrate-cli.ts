// `node libs/postgres/dist/migrate-cli.js <dir>` applies the folder's migrations to the database of DATABASE_URL.
// Exit code 0 only when all of them are applied.
import { migrate } from './migrate.js';

const [dir] = process.argv.slice(2);
const url = process.env['DATABASE_URL'];

if (!dir || !url) {
  process.stderr.write('Usage: DATABASE_URL=postgres://... migrate-cli.js <folder with migrations>\n');
  process.exitCode = 2;
} else {
  try {
    const applied = await migrate({ url, dir });
    process.stdout.write(applied.length > 0 ? `Applied ${applied.join(', ')}.\n` : 'Nothing to apply.\n');
  } catch (error) {
    process.stderr.write(`Migrations in ${dir} failed: ${describe(error)}\n`);
    process.exitCode = 1;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
