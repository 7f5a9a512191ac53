/** Formats numbers and times. */

export function seconds(value) {
  if (value === undefined || value === null) {
    return '–';
  }
  return value < 0.0995 ? `${Math.round(value * 1000)} ms` : value < 9.95 ? `${value.toPrecision(2)} s` : `${Math.round(value)} s`;
}

export function count(value) {
  return value === 0 ? '0' : value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}

/** How long ago, or for how long: "3 min". */
export function span(milliseconds) {
  const minutes = milliseconds / 60_000;
  return minutes < 1 ? `${Math.max(0, Math.round(milliseconds / 1000))} s`
    : minutes < 90 ? `${Math.round(minutes)} min`
      : minutes < 48 * 60 ? `${Math.round(minutes / 60)} h`
        : `${Math.round(minutes / 60 / 24)} days`;
}

export function many(number, one, more = `${one}s`) {
  return `${number} ${number === 1 ? one : more}`;
}

/** The name of a model without its version. */
export function nameOf(model) {
  return model.split('@')[0];
}

/** Whether the device is out of service for this batcher's model. */
export function isOut(batcher) {
  return ['quarantined', 'reloading', 'broken'].includes(batcher.health);
}

/** The state of the cluster: a level (well, full or ill), a sentence, and details. */
export function judge(status) {
  const devices = status.silos.filter((silo) => !silo.drained).flatMap((silo) => silo.devices);
  const batchers = devices.flatMap((device) => device.batchers);
  const stuck = devices.filter((device) => device.batchers.some((batcher) => batcher.state === 'stuck')).length;
  const out = devices.filter((device) => device.batchers.some(isOut)).length;
  const waiting = status.queues.reduce((sum, queue) => sum + queue.length, 0);
  const fullest = Math.max(0, ...status.queues.map((queue) => queue.length / queue.capacity));
  const oldest = Math.max(0, ...status.queues.map((queue) => queue.oldestSeconds));
  const machines = many(new Set(status.silos.map((silo) => silo.host)).size, 'machine');
  const where = machines === many(status.silos.length, 'machine') ? machines : `${many(status.silos.length, 'silo')} on ${machines}`;
  const who = `${where}, ${many(devices.length, 'device')}`;
  const does = status.now.picturesPerSecond > 0
    ? `${count(status.now.picturesPerSecond)} pictures a second, usually within ${seconds(status.now.p50)}`
    : 'no pictures at the moment';

  if (status.silos.length === 0) {
    return { health: 'ill', sentence: 'No worker is running', detail: 'Pictures wait until a worker starts.' };
  }
  if (devices.length === 0 && status.silos.some((silo) => silo.drained)) {
    return { health: 'ill', sentence: 'Every worker with a device is drained', detail: 'Pictures wait until a worker is restarted.' };
  }
  if (batchers.length === 0) {
    return devices.length === 0
      ? { health: 'ill', sentence: 'No worker has a device', detail: `${where}, but none with a device that can process pictures.` }
      : { health: 'ill', sentence: 'The devices are getting ready', detail: `${who}. Loading takes some seconds.` };
  }
  if (stuck > 0) {
    return {
      health: 'ill',
      sentence: stuck === devices.length ? 'No device works' : `${stuck} of ${devices.length} devices ${stuck === 1 ? 'hangs' : 'hang'}`,
      detail: `${who}, ${does}.`,
    };
  }
  if (out > 0) {
    return {
      health: 'ill',
      sentence: batchers.every(isOut) ? 'No device works' : `${out} of ${devices.length} devices ${out === 1 ? 'is' : 'are'} out of service`,
      detail: `${who}, ${does}.`,
    };
  }
  if (fullest >= 0.8) {
    return { health: 'full', sentence: 'More pictures arrive than the devices can process', detail: `${who}, ${does}. The oldest has waited ${seconds(oldest)}.` };
  }
  if (waiting > 0 || batchers.some((batcher) => batcher.inFlight > 0) || status.now.picturesPerSecond > 0) {
    return { health: 'well', sentence: 'At work', detail: `${who}, ${does}.` };
  }
  return { health: 'well', sentence: 'Ready, nothing to do', detail: `${who}, ${does}.` };
}
