// Resolves k6's modules to the stubs beside this file; registered by run.mjs.
const STUBS = { k6: 'k6.mjs', 'k6/http': 'http.mjs', 'k6/metrics': 'metrics.mjs', 'k6/execution': 'execution.mjs' };

export async function resolve(specifier, context, next) {
  return specifier in STUBS
    ? { url: new URL(STUBS[specifier], import.meta.url).href, shortCircuit: true }
    : next(specifier, context);
}
