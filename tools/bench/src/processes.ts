/** What the processes of a Souk cost: resident memory and CPU time, as `ps` tells them. */
import { execFileSync } from 'node:child_process';

export interface ProcessCost {
  readonly name: string;
  readonly residentMiB: number;
  readonly cpuSeconds: number;
}

interface Row extends ProcessCost {
  readonly pid: number;
  readonly parent: number;
}

/** The runner and all that descends from it. */
export function costsBelow(pid: number): ProcessCost[] {
  const rows = allProcesses();
  const family = new Set([pid]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    rows.filter((row) => family.has(row.parent)).forEach((row) => family.add(row.pid));
  }
  return rows.filter((row) => family.has(row.pid));
}

export function isNode({ name }: ProcessCost): boolean {
  return name !== 'postgres' && name !== 'nats';
}

function allProcesses(): Row[] {
  const columns = 'pid=,ppid=,rss=,time=,args=';
  const text = execFileSync('ps', ['-Ao', columns], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  return text.split('\n').flatMap((line) => {
    const [, pid, parent, rss, time = '', args = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (!pid) return [];
    const residentMiB = Number(rss) / 1_024;
    return [{ pid: Number(pid), parent: Number(parent), name: nameOf(args), residentMiB, cpuSeconds: seconds(time) }];
  });
}

/** `[[dd-]hh:]mm:ss` */
function seconds(time: string): number {
  const [clock = '', days = '0'] = time.split('-').reverse();
  return clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
}

function nameOf(args: string): string {
  const [, app] = /apps\/([\w-]+)\/dist/.exec(args) ?? [];
  const [, tool] = /tools\/([\w-]+)\/(?:src|dist)/.exec(args) ?? [];
  if (app ?? tool) return app ?? tool ?? '';
  return args.includes('postgres') ? 'postgres' : args.includes('nats-server') ? 'nats' : (args.split(' ')[0] ?? '');
}
