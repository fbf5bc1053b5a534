// `npm run ops -- <command>`
import { EXIT } from './exit-codes.ts';
import { run } from './program.ts';

// A reader that has seen enough (`| head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.amiss),
);
process.on('SIGINT', () => process.exit(EXIT.interrupted));

process.exitCode = await run(process.argv.slice(2));
