// node run.mjs SCRIPT ENV_JSON USERS ITERATIONS: what k6 does with the script, one user after another; prints JSON.
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

register('./loader.mjs', import.meta.url);
const [script, env, users, iterations] = process.argv.slice(2);
globalThis.__ENV = JSON.parse(env);
const { default: exec } = await import('./execution.mjs');
const { requests } = await import('./http.mjs');
const { slept } = await import('./k6.mjs');
const { samples } = await import('./metrics.mjs');

let options;
let summary;
for (let user = 1; user <= Number(users); user += 1) {
  // A VU has modules of its own: a query makes each import a new one.
  const module = await import(`${pathToFileURL(script)}?vu=${user}`);
  options = module.options;
  exec.vu.idInTest = user;
  exec.scenario.name = Object.keys(options.scenarios)[0];
  exec.scenario.startTime = Date.now() - 3600_000;
  exec.instance.vusActive = Number(users);
  for (let iteration = 0; iteration < Number(iterations); iteration += 1) {
    module.default();
  }
  summary = module.handleSummary({
    metrics: { http_req_duration: { thresholds: { 'p(95)<200': { ok: true }, 'p(99)<300': { ok: false } } } },
  });
}
process.stdout.write(JSON.stringify({ options, requests, slept, samples, summary }));
