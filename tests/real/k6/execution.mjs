export default {
  scenario: { name: '', startTime: 0 },
  vu: { idInTest: 1 },
  instance: { vusActive: 0 },
};
