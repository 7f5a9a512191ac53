/**
 * Keeps the pictures of this tab for a reload, in the browser's database: the last fifty, up to a hundred megabytes. Pictures of other tabs
 * are removed after an hour. When the browser keeps nothing (private windows), the page works without it.
 */
const mostPictures = 50;
const mostBytes = 100e6;
const anHour = 3_600_000;
const tabPlace = 'detection.tab';
const viewPlace = 'detection.view';

let tab = sessionStorage.getItem(tabPlace);
let opened = null;
let turn = Promise.resolve();
const written = new Map(); // id → the answer or, without one, the source; to see what has changed

/** The kept pictures, in their order: [{ id, name, source, answer, roundTrip, picture }, …]. */
export async function kept() {
  try {
    const all = await done((await store('readwrite')).getAll());
    const now = Date.now();
    const old = all.filter((entry) => entry.tab !== tab && now - entry.at > anHour);
    if (old.length > 0) {
      const pictures = await store('readwrite');
      old.forEach((entry) => pictures.delete([entry.tab, entry.id]));
    }
    const own = all.filter((entry) => entry.tab === tab).sort((a, b) => a.id - b.id);
    own.forEach(({ id, answer, source }) => written.set(id, answer ?? source));
    return own;
  } catch {
    return [];
  }
}

/** Keeps the newest of these pictures, and removes the others of this tab. */
export function keep(pictures) {
  const now = [...pictures];
  turn = turn.then(() => write(now));
  return turn;
}

async function write(pictures) {
  const chosen = [];
  let bytes = 0;
  for (const picture of pictures.slice(-mostPictures).reverse()) {
    bytes += (picture.source.file ?? picture.shown)?.size ?? 0;
    if (bytes > mostBytes) {
      break;
    }
    chosen.push(picture);
  }
  try {
    const place = await store('readwrite');
    const before = await done(place.getAllKeys());
    for (const [owner, id] of before) {
      if (owner === tab && !chosen.some((picture) => picture.id === id)) {
        place.delete([owner, id]);
        written.delete(id);
      }
    }
    for (const { id, name, source, shown, answer = null, roundTrip = 0 } of chosen) {
      if (written.get(id) !== (answer ?? source)) {
        written.set(id, answer ?? source);
        place.put({ tab, id, at: Date.now(), name, source, shown: source.file ? null : shown ?? null, answer, roundTrip });
      }
    }
  } catch {
    // The browser keeps nothing.
  }
}

/** The other state that is kept for a reload: { selected, threshold, model }. */
export function keptView() {
  try {
    return JSON.parse(sessionStorage.getItem(viewPlace)) ?? {};
  } catch {
    return {};
  }
}

export function keepView(view) {
  sessionStorage.setItem(viewPlace, JSON.stringify({ ...keptView(), ...view }));
}

async function store(mode) {
  opened ??= open();
  return (await opened).transaction('pictures', mode).objectStore('pictures');
}

function open() {
  if (!tab) {
    tab = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    sessionStorage.setItem(tabPlace, tab);
  }
  const request = indexedDB.open('detection', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('pictures', { keyPath: ['tab', 'id'] });
  return done(request);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
