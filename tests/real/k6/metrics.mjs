export const samples = [];

export class Trend {
  constructor(name) {
    this.name = name;
  }

  add(value, tags) {
    samples.push({ metric: this.name, value, tags });
  }
}
