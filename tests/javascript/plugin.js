// An alert sink in plain JavaScript. Its toolchain makes a component that imports WASI for its own runtime's sake; the host
// serves that from an empty context: no files, no sockets, no environment.
import { write } from 'chm:plugin/log@0.1.0';

export const alertSink = {
  describe() {
    return { summary: "Writes alerts to the host's log." };
  },

  deliver(alert) {
    write('info', `delivered: ${alert.text}`);
    if (alert.severity === 'critical') {
      throw { tag: 'retry-after', val: { afterSeconds: 7, reason: 'critical alerts wait' } };
    }
    return { reference: `js-${alert.rule}` };
  },
};
