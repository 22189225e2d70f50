export const slept = [];

export function sleep(seconds) {
  slept.push(seconds);
}

export function fail(message) {
  throw new Error(message);
}
