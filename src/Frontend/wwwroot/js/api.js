import { heard, withKey } from './key.js';
import { Problem } from './problem.js';

/** The lowest score asked for. The slider works above it without asking again. */
export const askedThreshold = 0.05;

const deadline = 120_000;

/**
 * Asks for the objects in a picture: { file }, as the server reads it, or { url }.
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
        reject(problemOf(request.status, request.getResponseHeader('Retry-After'), body));
      }
    };
    request.onerror = () => reject(new Problem({
      title: 'No connection to the server',
      detail: source.file && source.file.size > 10e6
        ? `The connection was closed before an answer came. The picture has ${megabytes(source.file.size)}; it may be larger than the server takes.`
        : 'The connection failed or was closed before an answer came.',
      passes: true,
    }));
    request.ontimeout = () => reject(new Problem({
      title: 'No answer in time',
      detail: `The server did not answer within ${deadline / 1000} seconds.`,
      passes: true,
    }));
    request.onabort = () => reject(new DOMException('Given up.', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());

    request.send(source.file ?? JSON.stringify({ url: source.url }));
  });
}

/**
 * What was found in a picture before, by the key of the picture.
 * @returns {Promise<{answer: object, roundTrip: number}>}
 */
export async function find({ imageKey, model }, { signal }) {
  const query = new URLSearchParams({ threshold: String(askedThreshold), wait: '20', ...(model ? { model } : {}) });
  const started = performance.now();
  let response;
  try {
    response = await fetch(`/v1/detections/${imageKey}?${query}`, { headers: withKey({ Accept: 'application/json' }), signal });
  } catch (error) {
    throw signal.aborted ? error : new Problem({ title: 'No connection to the server', detail: 'The connection failed or was closed before an answer came.', passes: true });
  }
  heard(response.status);
  const body = parse(await response.text());
  if (response.status === 200 && Array.isArray(body?.boxes)) {
    return { answer: body, roundTrip: performance.now() - started };
  }
  throw response.status === 404
    ? new Problem({ title: 'This result is no longer there', detail: 'The server keeps results for a while. Ask whoever sent the link for the picture itself.', status: 404 })
    : response.status === 202
      ? new Problem({ title: 'Not ready yet', detail: 'The server is still working on this picture.', status: 202, passes: true })
      : problemOf(response.status, response.headers.get('Retry-After'), body);
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

function problemOf(status, retryAfter, body) {
  if (status === 200) {
    return new Problem({ title: 'An answer that this page cannot read', detail: 'The server answered with something else than boxes.', status });
  }
  const seconds = Number.parseInt(retryAfter ?? '', 10);
  return new Problem({
    title: body?.title || `The server answered ${status}`,
    detail: body?.detail ?? '',
    status,
    retryAfter: Number.isFinite(seconds) ? seconds : null,
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
