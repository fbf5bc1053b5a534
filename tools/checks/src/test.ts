// `npm test`: every check and every test of the repository, one step after the other; the last line is the sum.
//   npm test                          everything
//   npm test -- --only lint,types     only these steps
//   npm test -- libs/money            only the jest tests whose path matches
import { parseArgs } from 'node:util';
import { CHECKS, JEST_RUNS, PROGRAM_RUNS, runJest, runProgram, type Check } from './steps.ts';
import { FAILED, PASSED, SKIPPED, summary, sumOf, type Tally } from './tally.ts';

const STEPS = [...new Set([...CHECKS, ...JEST_RUNS, ...PROGRAM_RUNS].map(({ step }) => step))];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const chosen = values.only?.split(',') ?? (positionals.length > 0 ? stepsFor(positionals) : STEPS);
const unknown = chosen.filter((step) => !STEPS.includes(step));

if (unknown.length > 0) {
  process.stderr.write(`There is no step ${unknown.join(', ')}. The steps are ${STEPS.join(', ')}.\n`);
  process.exitCode = 2;
} else {
  const total = sumOf([...(await runChecks()), ...(await runTests()), ...(await runPrograms())]);
  process.stdout.write(`\n${summary(total)}\n`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

function stepsFor(paths: string[]): string[] {
  return paths.every((path) => path.startsWith('e2e')) ? ['e2e'] : ['jest'];
}

async function runChecks(): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const check of CHECKS.filter(({ step }) => chosen.includes(step))) {
    const started = Date.now();
    const problems = await problemsOf(check);
    const name = `${check.step}: ${check.name}`;
    if (!problems) {
      process.stdout.write(`skip    ${name}: ${check.skipped ?? 'this machine lacks what it needs'}\n`);
      tallies.push(SKIPPED);
      continue;
    }
    line(problems.length === 0, name, started);
    for (const problem of problems) process.stdout.write(`${problem.replace(/^/gm, '    ')}\n`);
    tallies.push(problems.length === 0 ? PASSED : FAILED);
  }
  return tallies;
}

async function runTests(): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const run of JEST_RUNS.filter(({ step, exists }) => chosen.includes(step) && exists())) {
    const started = Date.now();
    process.stdout.write(`\n${run.step}\n`);
    const tally = await runJest(run, positionals);
    line(tally.failed === 0, `${run.step}: ${summary(tally)}`, started);
    tallies.push(tally);
  }
  return tallies;
}

async function runPrograms(): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const run of PROGRAM_RUNS.filter(({ step }) => chosen.includes(step))) {
    const started = Date.now();
    process.stdout.write(`\n${run.step}\n`);
    const passed = await runProgram(run);
    line(passed, `${run.step}: ${run.name}`, started);
    tallies.push(passed ? PASSED : FAILED);
  }
  return tallies;
}

/** A check that breaks has found a problem too. */
async function problemsOf(check: Check): Promise<string[] | undefined> {
  try {
    return await check.problems();
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

function line(passed: boolean, what: string, started: number): void {
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'}  ${what} (${seconds} s)\n`);
}
