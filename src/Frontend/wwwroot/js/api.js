import { heard, withKey } from './key.js';

/** The lowest score asked for. The slider works above it without asking again. */
export const askedThreshold = 0.05;

const deadline = 120_000;

/** Why there is no answer, as an RFC 9457 problem tells it. */
export class Problem extends Error {
  constructor({ title, detail = '', status = 0, retryAfter = null }) {
    super(title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    /** Seconds to wait before a retry, or null. */
    this.retryAfter = retryAfter;
  }
}

/**
 * Asks for the objects in a picture: { file } or { url }.
 * XMLHttpRequest, because fetch does not tell how much of a body has been sent.
 * @returns {Promise<{answer: object, roundTrip: number}>} the answer, and the milliseconds that it took as seen from here.
 */
export function detect(source, { model = null, onSent = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const query = new URLSearchParams({ threshold: String(askedThreshold) });
    if (model) {
      query.set('model', model);
    }
    const request = new XMLHttpRequest();
    request.open('POST', `/v1/detections?${query}`);
    request.timeout = deadline;
    const headers = withKey({
      Accept: 'application/json',
      'Content-Type': source.file ? source.file.type || 'application/octet-stream' : 'application/json',
    });
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));

    const started = performance.now();
    request.upload.onprogress = (event) => onSent(event.lengthComputable ? event.loaded / event.total : null);
    request.upload.onload = () => onSent(1);
    request.onload = () => {
      const roundTrip = performance.now() - started;
      const body = parse(request.responseText);
      heard(request.status);
      if (request.status === 200 && Array.isArray(body?.boxes)) {
        resolve({ answer: body, roundTrip });
      } else {
        reject(problemOf(request, body));
      }
    };
    request.onerror = () => reject(new Problem({
      title: 'No connection to the server',
      detail: source.file && source.file.size > 10e6
        ? `The connection was closed before an answer came. The picture has ${megabytes(source.file.size)}; it may be larger than the server takes.`
        : 'The connection failed or was closed before an answer came.',
    }));
    request.ontimeout = () => reject(new Problem({
      title: 'No answer in time',
      detail: `The server did not answer within ${deadline / 1000} seconds.`,
    }));
    request.onabort = () => reject(new DOMException('Given up.', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());

    request.send(source.file ?? JSON.stringify({ url: source.url }));
  });
}

/** The models to choose from: [{ id, name }, …]. */
export async function models() {
  const response = await fetch('/v1/models', { headers: withKey({ Accept: 'application/json' }), signal: AbortSignal.timeout(10_000) });
  heard(response.status);
  if (!response.ok) {
    throw new Problem({ title: 'The models are not known', status: response.status });
  }
  const body = await response.json();
  return body.models.map(({ id, name }) => ({ id, name }));
}

/**
 * The picture of an answer, which the server fetched. It draws the boxes at or above a threshold into it: with 1, none.
 * @returns {Promise<Blob|null>} null when it cannot be had
 */
export async function pictureOf(answer) {
  const query = new URLSearchParams({ threshold: '1', model: answer.model });
  try {
    const response = await fetch(`/v1/detections/${answer.imageKey}/image?${query}`, { headers: withKey({}), signal: AbortSignal.timeout(30_000) });
    return response.ok ? await response.blob() : null;
  } catch {
    return null; // The answer counts without its picture; the page says that it is missing.
  }
}

function problemOf(request, body) {
  if (request.status === 200) {
    return new Problem({ title: 'An answer that this page cannot read', detail: 'The server answered with something else than boxes.', status: 200 });
  }
  const retryAfter = Number.parseInt(request.getResponseHeader('Retry-After') ?? '', 10);
  return new Problem({
    title: body?.title || `The server answered ${request.status}`,
    detail: body?.detail ?? '',
    status: request.status,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // A proxy's page, say: the status tells enough.
  }
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
