import { advisoriesIn, advisoryProblems, exceptionProblems, type Advisory, type Exception } from './advisories.ts';
import { integrityProblems, isPermissive, licenceProblems } from './lock-file.ts';

const TODAY = '2026-03-01';

/** As `npm audit --json` prints it: `outer` is hit by way of `inner`. */
const REPORT = JSON.stringify({
  auditReportVersion: 2,
  vulnerabilities: {
    inner: {
      name: 'inner',
      severity: 'high',
      isDirect: false,
      via: [
        {
          source: 1097682,
          name: 'inner',
          dependency: 'inner',
          title: 'Prototype pollution in inner',
          url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
          severity: 'high',
          cwe: ['CWE-1321'],
          cvss: { score: 7.5, vectorString: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
          range: '<1.2.3',
        },
      ],
      effects: ['outer'],
      range: '<1.2.3',
      nodes: ['node_modules/inner'],
      fixAvailable: true,
    },
    outer: {
      name: 'outer',
      severity: 'high',
      isDirect: true,
      via: ['inner'],
      effects: [],
      range: '*',
      nodes: ['node_modules/outer'],
      fixAvailable: true,
    },
  },
  metadata: { vulnerabilities: { info: 0, low: 0, moderate: 0, high: 2, critical: 0, total: 2 } },
});

const HIGH: Advisory = {
  package: 'inner',
  id: 'GHSA-aaaa-bbbb-cccc',
  severity: 'high',
  title: 'Prototype pollution in inner',
};
const LOW: Advisory = { ...HIGH, id: 'GHSA-dddd-eeee-ffff', severity: 'low' };

function exception(changes: Partial<Exception> = {}): Exception {
  const reason = 'The part that is weak reads files that we write ourselves.';
  return { package: 'inner', advisory: HIGH.id, reason, expires: '2026-06-30', ...changes };
}

describe('a report', () => {
  it('holds each advisory once, and not whom it reaches by way of another', () => {
    expect(advisoriesIn(REPORT)).toEqual([HIGH]);
    expect(advisoriesIn('{"auditReportVersion":2,"vulnerabilities":{}}')).toEqual([]);
  });

  it.each(['', 'no JSON', '{"message":"405 Method Not Allowed","statusCode":405}', '{"error":{"code":"ENOTFOUND"}}'])(
    'is none where the registry could not be asked: %s',
    (text) => expect(advisoriesIn(text)).toBeUndefined(),
  );
});

describe('an advisory', () => {
  it('fails, also a small one of what is delivered, and of tools the grave ones', () => {
    const told = 'inner has GHSA-aaaa-bbbb-cccc (high): Prototype pollution in inner';
    expect(advisoryProblems({ delivered: [HIGH], all: [HIGH] }, [])).toEqual([told]);
    expect(advisoryProblems({ delivered: [LOW], all: [LOW] }, [])).toHaveLength(1);
    expect(advisoryProblems({ delivered: [], all: [HIGH] }, [])).toEqual([told]);
    expect(advisoryProblems({ delivered: [], all: [LOW] }, [])).toEqual([]);
  });

  it('passes where an exception names it, and no other one', () => {
    expect(advisoryProblems({ delivered: [HIGH], all: [HIGH] }, [exception()])).toEqual([]);
    expect(advisoryProblems({ delivered: [HIGH, LOW], all: [HIGH, LOW] }, [exception()])).toHaveLength(1);
    const others = [exception({ package: 'outer' }), exception({ advisory: LOW.id })];
    expect(advisoryProblems({ delivered: [HIGH], all: [HIGH] }, others)).toHaveLength(3);
  });

  it('that is gone takes its exception with it', () => {
    const problems = advisoryProblems({ delivered: [], all: [] }, [exception()]);
    expect(problems).toEqual(['GHSA-aaaa-bbbb-cccc of inner is gone: remove its exception.']);
  });
});

describe('an exception', () => {
  it.each([
    ['has a reason and a day', {}, undefined],
    ['holds on its last day', { expires: TODAY }, undefined],
    ['without a reason', { reason: 'later' }, 'does not say why'],
    ['without a day', { expires: 'never' }, 'until when'],
    ['that has expired', { expires: '2026-02-28' }, 'has expired'],
    ['for too long', { expires: '2026-09-02' }, 'more than 6 months'],
  ])('%s', (_, changes, problem) => {
    const problems = exceptionProblems([exception(changes)], TODAY);
    expect(problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)]);
  });
});

describe('the lock file', () => {
  const mit = { license: 'MIT', integrity: 'sha512-AAAA' };

  it('lets in permissive licences, and of tools any', () => {
    const packages = {
      '': {},
      'libs/own': {},
      'node_modules/own': { link: true },
      'node_modules/a': mit,
      'node_modules/tool': { ...mit, license: 'GPL-3.0-only', dev: true },
    };
    expect(licenceProblems({ packages })).toEqual([]);
    const bad = {
      'node_modules/b': { ...mit, license: 'AGPL-3.0-only' },
      'libs/x/node_modules/c': { integrity: 'sha512-' },
    };
    expect(licenceProblems({ packages: bad })).toHaveLength(2);
  });

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-2.0-only)', true],
    ['(Apache-2.0 AND BSD-3-Clause)', true],
    ['(MIT AND GPL-2.0-only)', false],
    ['GPL-2.0-only OR LGPL-3.0-only', false],
    ['SEE LICENSE IN LICENSE.txt', false],
    ['', false],
  ])('%s: %s', (expression, permissive) => expect(isPermissive(expression)).toBe(permissive));

  it('holds each package to a hash, from nowhere but by TLS', () => {
    const tarball = 'https://registry.example/a.tgz';
    expect(integrityProblems({ packages: { 'node_modules/a': { ...mit, resolved: tarball } } })).toEqual([]);
    const packages = {
      'node_modules/a': { license: 'MIT' },
      'node_modules/b': { ...mit, integrity: 'sha1-AAAA' },
      'node_modules/c': { ...mit, resolved: 'git+ssh://git@example.com/c.git' },
      'node_modules/d': { ...mit, resolved: 'http://registry.example/d.tgz' },
    };
    expect(integrityProblems({ packages })).toHaveLength(4);
  });
});
