import { soukVersion } from '@souk/discovery';
import { metrics } from '@souk/telemetry';

/** What runs here. */
export interface BuildInfo {
  readonly version: string;
  /** Of the source; whoever builds or starts it says so in SOUK_COMMIT. */
  readonly commit: string;
  readonly node: string;
  readonly pid: number;
}

export function buildInfo(): BuildInfo {
  return {
    version: soukVersion(),
    commit: process.env['SOUK_COMMIT'] || 'unknown',
    node: process.version,
    pid: process.pid,
  };
}

/** Tells in the metrics what runs here. */
export function tellBuild(): void {
  const { version, commit } = buildInfo();
  metrics.gauge('souk_build_info').set({ version, commit }, 1);
}
