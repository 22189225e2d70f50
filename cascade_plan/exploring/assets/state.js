/* What was changed of the scenario: values by their path, in the order in which they are set, with what was before. */

const LONGEST_PAST = 200;

export class State {
  constructor() {
    this.set = new Map();
    this.pinned = null;
    this.past = [];
    this.future = [];
    this.gesture = null;
  }

  /** The changes as the server takes them. */
  list() {
    return [...this.set];
  }

  snapshot() {
    return JSON.stringify({ set: this.list(), pinned: this.pinned });
  }

  restore(text) {
    const { set, pinned } = JSON.parse(text);
    this.set = new Map(set);
    this.pinned = pinned;
  }

  /** Change it by a function; moves of one gesture, such as those of a slider that is held, are one step to undo. */
  change(gesture, act) {
    const before = this.snapshot();
    act(this);
    if (this.snapshot() === before) return false;
    if (gesture === null || gesture !== this.gesture) {
      this.past.push(before);
      if (this.past.length > LONGEST_PAST) this.past.shift();
    }
    this.gesture = gesture;
    this.future = [];
    return true;
  }

  /** End a gesture: the next move is another step. */
  settle() {
    this.gesture = null;
  }

  undo() {
    return this.step(this.past, this.future);
  }

  redo() {
    return this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return false;
    to.push(this.snapshot());
    this.restore(from.pop());
    this.gesture = null;
    return true;
  }

  /** What stands after # in the address: set=PATH=VALUE for each change, a=... for those that are pinned. */
  fragment() {
    const given = new URLSearchParams();
    for (const [path, value] of this.set) given.append("set", `${path}=${value}`);
    if (this.pinned !== null) {
      given.append("pin", "1");
      for (const [path, value] of this.pinned) given.append("a", `${path}=${value}`);
    }
    return given.toString();
  }

  /** Read what stands after #, and return whether it is another state. */
  read(fragment) {
    const given = new URLSearchParams(fragment);
    const pairs = (name) =>
      given.getAll(name).flatMap((text) => {
        const at = pathEnd(text);
        return at > 0 ? [[text.slice(0, at), text.slice(at + 1)]] : [];
      });
    const pinned = given.has("pin") ? pairs("a") : null;
    return this.change(null, (state) => {
      state.set = new Map(pairs("set"));
      state.pinned = pinned;
    });
  }
}

/** Where the path of PATH=VALUE ends: at the first = that no quotes enclose. */
export function pathEnd(text) {
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === "=" && !isQuoted) return at;
  }
  return -1;
}
