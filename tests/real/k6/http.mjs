// k6 waits for each answer; node does not. A worker makes the request while this thread waits for it.
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';

export const requests = [];

const { port1, port2 } = new MessageChannel();
const done = new Int32Array(new SharedArrayBuffer(4));
const worker = new Worker(
  `const { workerData } = require('node:worker_threads');
   const { port, done } = workerData;
   port.on('message', async ({ method, url, headers, body, form }) => {
     let answer;
     try {
       if (form) {
         body = new FormData();
         for (const [name, value] of Object.entries(form)) {
           if (typeof value === 'string') body.append(name, value);
           else body.append(name, new Blob([value.data], { type: value.type }), value.name);
         }
       }
       const response = await fetch(url, { method, headers, body });
       answer = { status: response.status, body: await response.text() };
     } catch (error) {
       answer = { status: 0, body: String(error.cause || error) };
     }
     port.postMessage(answer);
     Atomics.store(done, 0, 1);
     Atomics.notify(done, 0);
   });`,
  { eval: true, workerData: { port: port2, done }, transferList: [port2] },
);
worker.unref();
port1.unref();

function request(method, url, body, params = {}) {
  const form = body !== null && typeof body === 'object' ? body : null;
  Atomics.store(done, 0, 0);
  port1.postMessage({ method, url, headers: params.headers, body: form ? undefined : body ?? undefined, form });
  Atomics.wait(done, 0, 0);
  const { status, body: text } = receiveMessageOnPort(port1).message;
  requests.push({ method, url, tags: params.tags, headers: params.headers, status, error: status ? "" : text });
  return { status, body: text, json: (key) => JSON.parse(text)[key] };
}

export default {
  request,
  post: (url, body, params) => request('POST', url, body, params),
  file: (data, name, type) => ({ data, name, type }),
};
