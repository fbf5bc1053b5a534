// Judges what the registry knows of the packages: each advisory fails unless an exception says why it does not matter here,
// and until when. Of what is only a tool, advisories below "high" are let pass. An exception that nothing needs any more fails as well.

export const SEVERITIES = ['info', 'low', 'moderate', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One line of `audit-exceptions.json`. */
export interface Exception {
  package: string;
  /** As in the advisory's address: GHSA-.... */
  advisory: string;
  /** Why it does not matter here. */
  reason: string;
  /** The last day that it holds, as 2026-12-31. */
  expires: string;
}

export interface Advisory {
  package: string;
  id: string;
  severity: Severity;
  title: string;
}

/** What `npm audit --json` prints, as far as it is read; `via` names other packages of the report, or is an advisory itself. */
interface Report {
  auditReportVersion?: number;
  vulnerabilities?: Record<string, { via: (string | Via)[] }>;
}

interface Via {
  name: string;
  title: string;
  url: string;
  severity: Severity;
}

const MONTHS_AT_MOST = 6;

/** The advisories of a report; undefined where it is none, since the registry could not be asked. */
export function advisoriesIn(text: string): Advisory[] | undefined {
  const report = parsed(text);
  if (report?.auditReportVersion === undefined || !report.vulnerabilities) return undefined;
  const found = Object.values(report.vulnerabilities)
    .flatMap(({ via }) => via)
    .filter((via) => typeof via !== 'string')
    .map(({ name, title, url, severity }) => ({ package: name, id: url.split('/').at(-1) ?? url, severity, title }));
  return [...new Map(found.map((advisory) => [keyOf(advisory.package, advisory.id), advisory])).values()];
}

export interface Found {
  delivered: readonly Advisory[];
  /** Tools included. */
  all: readonly Advisory[];
}

export function advisoryProblems({ delivered, all }: Found, exceptions: readonly Exception[]): string[] {
  const excepted = new Set(exceptions.map((exception) => keyOf(exception.package, exception.advisory)));
  const key = (advisory: Advisory) => keyOf(advisory.package, advisory.id);
  const matters = new Map([...all.filter(isGrave), ...delivered].map((advisory) => [key(advisory), advisory]));
  const known = new Set([...all, ...delivered].map(key));
  return [
    ...[...matters]
      .filter(([id]) => !excepted.has(id))
      .map(([, { package: name, id, severity, title }]) => `${name} has ${id} (${severity}): ${title}`),
    ...exceptions
      .filter((exception) => !known.has(keyOf(exception.package, exception.advisory)))
      .map((exception) => `${exception.advisory} of ${exception.package} is gone: remove its exception.`),
  ];
}

/** What is wrong with the exceptions themselves. @param today as 2026-12-31 */
export function exceptionProblems(exceptions: readonly Exception[], today: string): string[] {
  const latest = new Date(today);
  latest.setUTCMonth(latest.getUTCMonth() + MONTHS_AT_MOST);
  return exceptions.flatMap(({ package: name, advisory, reason, expires }) => {
    const what = `The exception of ${name} from ${advisory}`;
    if (reason.trim().length < 20) return [`${what} does not say why it does not matter here.`];
    if (!/^\d{4}-\d{2}-\d{2}$/.test(expires)) return [`${what} does not say until when it holds, as 2026-12-31.`];
    if (expires < today) return [`${what} has expired: update the package, or say anew why not.`];
    return expires > latest.toISOString().slice(0, 10) ? [`${what} holds for more than ${MONTHS_AT_MOST} months.`] : [];
  });
}

function isGrave({ severity }: Advisory): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf('high');
}

function keyOf(name: string, id: string): string {
  return `${name} ${id}`;
}

function parsed(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}
