/**
 * The same docker CLI calls on galleyd and on a real dockerd (Debian's 20.10): exit codes, output and messages must agree. What differs on
 * purpose stands in oracle/differences.ts with its reason; one that no longer differs must go from there. dockerd's answers are kept in
 * oracle/recorded.json; GALLEY_TEST_DIFFERENTIAL=1 asks a real one in step with galleyd, and writes them anew.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cgroupVersion } from '../../daemon/system/cgroups.ts';
import { dockerIsCurrent } from '../fixtures/comparing.ts';
import { dockerCli } from '../fixtures/docker.ts';
import { type Dockerd, startDockerd } from '../fixtures/dockerd.ts';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import { busyboxImage, pushImage, settingsImage } from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';
import { DIFFERENCES } from './oracle/differences.ts';
import { differs, type Outcome, openTarget, parseScript, type Target } from './oracle/harness.ts';

const live = process.env['GALLEY_TEST_DIFFERENTIAL'] === '1';
const scripts = ['create', 'lifecycle', 'streams', 'files', 'commit', 'system'];
const recording = path.join(import.meta.dirname, 'oracle', 'recorded.json');
const Recorded = z.record(
  z.string(),
  z.array(z.object({ line: z.string(), code: z.number(), stdout: z.string(), stderr: z.string() })),
);

// The calls look into cgroup v1 files, and that is where they were recorded, with a docker CLI of 28.
describe.skipIf(!isRoot || cgroupVersion() !== 1 || !(live || dockerIsCurrent))(
  'docker CLI: galleyd beside dockerd (needs root, cgroup v1 and a docker CLI of 28)',
  () => {
    let dockerd: Dockerd | undefined;
    let registry: Registry;
    let engine: Engine;
    let real: Target | undefined;
    let ours: Target;
    const recorded = Recorded.parse(JSON.parse(fs.readFileSync(recording, 'utf8')));
    const used = new Set<string>();

    beforeAll(async () => {
      if (live) dockerd = await startDockerd();
      registry = await startRegistry(dockerd ? { address: dockerd.hostAddress } : {});
      engine = await startEngine({ insecureRegistries: [registry.host] });
      const images = { busybox: await busyboxImage(), settings: await settingsImage() };
      for (const [name, image] of Object.entries(images)) {
        const full = await pushImage(registry, `library/${name}:latest`, image);
        for (const { host } of dockerd ? [dockerd, engine] : [engine]) {
          const docker = await dockerCli(host);
          await docker.must(['pull', '-q', full]);
          await docker.must(['tag', full, name]);
          docker.close();
        }
      }
      if (dockerd) real = await openTarget(dockerd.host, registry.host);
      ours = await openTarget(engine.host, registry.host);
    });

    afterAll(async () => {
      real?.close();
      ours?.close();
      try {
        await engine?.purge();
      } finally {
        await registry?.stop();
        await dockerd?.stop();
      }
      if (live) fs.writeFileSync(recording, `${JSON.stringify(recorded, null, 1)}\n`);
    });

    for (const script of scripts) {
      describe(script, () => {
        it.each(parseScript(path.join(import.meta.dirname, 'oracle', `${script}.script`)))('$title', async (one) => {
          const key = `${script}: ${one.title}`;
          const [theirs, mine] = await Promise.all([real ? real.run(one) : (recorded[key] ?? []), ours.run(one)]);
          if (real) recorded[key] = theirs;
          // A changed list wants a new recording.
          expect(theirs.map(({ line }) => line)).toEqual(one.lines);
          const surprises = theirs.flatMap((expected, i) => {
            const got = mine[i] as Outcome;
            if (!differs(expected, got)) return [];
            const known = DIFFERENCES.find(({ line }) => expected.line.includes(line));
            if (known) used.add(known.line);
            return known ? [] : [{ docker: expected, galley: got }];
          });
          expect(surprises).toEqual([]);
        });
      });
    }

    it('every listed difference is still one', () => {
      expect(DIFFERENCES.filter(({ line, perhaps }) => !perhaps && !used.has(line)).map(({ line }) => line)).toEqual(
        [],
      );
    });
  },
);
