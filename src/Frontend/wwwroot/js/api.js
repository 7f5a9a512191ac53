import { askForKeyAfter401, withKey } from './key.js';
import { Problem } from './problem.js';

/** Threshold of all requests. The slider filters above it without a new request. */
export const requestThreshold = 0.05;

const deadline = 120_000;

/**
 * Requests the objects in a picture: { file }, in a format that the server reads, or { url }.
 * XMLHttpRequest, because fetch does not report how much of a body has been sent.
 * @returns {Promise<{answer: object, roundTrip: number}>} the answer, and the duration of the request in milliseconds.
 */
export function detect(source, { model = null, onSent = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const query = new URLSearchParams({ threshold: String(requestThreshold) });
    if (model) {
      query.set('model', model);
    }
    const request = new XMLHttpRequest();
    request.open('POST', `/v1/detections?${query}`);
    request.timeout = deadline;
    const headers = withKey({
      Accept: 'application/json',
      // A file is a picture to the server, whatever its type says: JSON would be read as a request.
      'Content-Type': !source.file ? 'application/json' : source.file.type.startsWith('image/') ? source.file.type : 'application/octet-stream',
    });
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));

    const started = performance.now();
    request.upload.onprogress = (event) => onSent(event.lengthComputable ? event.loaded / event.total : null);
    request.upload.onload = () => onSent(1);
    request.onload = () => {
      const roundTrip = performance.now() - started;
      const body = parse(request.responseText);
      askForKeyAfter401(request.status);
      if (request.status === 200 && Array.isArray(body?.boxes)) {
        resolve({ answer: body, roundTrip });
      } else {
        reject(problemOf(request.status, request.getResponseHeader('Retry-After'), body));
      }
    };
    request.onerror = () => reject(new Problem({
      title: 'No connection to the server',
      detail: source.file && source.file.size > 10e6
        ? `The connection was closed before the answer. The picture has ${megabytes(source.file.size)}; the server may accept only smaller ones.`
        : 'The connection failed or was closed before the answer.',
      isTransient: true,
    }));
    request.ontimeout = () => reject(new Problem({
      title: 'The request timed out',
      detail: `The server did not answer within ${deadline / 1000} seconds.`,
      isTransient: true,
    }));
    request.onabort = () => reject(new DOMException('Cancelled.', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());

    request.send(source.file ?? JSON.stringify({ url: source.url }));
  });
}

/**
 * Reads the answer of an earlier request by the key of its picture.
 * @returns {Promise<{answer: object, roundTrip: number}>}
 */
export async function find({ imageKey, model }, { signal }) {
  const query = new URLSearchParams({ threshold: String(requestThreshold), wait: '20', ...(model ? { model } : {}) });
  const started = performance.now();
  let response;
  try {
    response = await fetch(`/v1/detections/${imageKey}?${query}`, { headers: withKey({ Accept: 'application/json' }), signal });
  } catch (error) {
    throw signal.aborted ? error : new Problem({ title: 'No connection to the server', detail: 'The connection failed or was closed before the answer.', isTransient: true });
  }
  askForKeyAfter401(response.status);
  const body = parse(await response.text());
  if (response.status === 200 && Array.isArray(body?.boxes)) {
    return { answer: body, roundTrip: performance.now() - started };
  }
  throw response.status === 404
    ? new Problem({ title: 'This result has expired', detail: 'The server keeps results for a limited time. Ask the sender of the link for the picture.', status: 404 })
    : response.status === 202
      ? new Problem({ title: 'Not ready yet', detail: 'The server is still processing this picture.', status: 202, isTransient: true })
      : problemOf(response.status, response.headers.get('Retry-After'), body);
}

/** The models to choose from: [{ id, name }, …]. */
export async function models() {
  const response = await fetch('/v1/models', { headers: withKey({ Accept: 'application/json' }), signal: AbortSignal.timeout(10_000) });
  askForKeyAfter401(response.status);
  if (!response.ok) {
    throw new Problem({ title: 'The list of models cannot be read', status: response.status });
  }
  const body = await response.json();
  return body.models.map(({ id, name }) => ({ id, name }));
}

/**
 * Reads the picture of an answer, which the server fetched. Threshold 1, so that the server draws no boxes into it.
 * @returns {Promise<{blob: Blob|null, expired: boolean}>}
 */
export async function pictureOf(answer) {
  const query = new URLSearchParams({ threshold: '1', model: answer.model });
  try {
    const response = await fetch(`/v1/detections/${answer.imageKey}/image?${query}`, { headers: withKey({}), signal: AbortSignal.timeout(30_000) });
    return { blob: response.ok ? await response.blob() : null, expired: response.status === 404 };
  } catch {
    return { blob: null, expired: false }; // The answer is useful without its picture; the page says that the picture is missing.
  }
}

function problemOf(status, retryAfter, body) {
  if (status === 200) {
    return new Problem({ title: 'This page cannot read the answer', detail: 'The answer of the server has no boxes.', status });
  }
  if (status === 401) {
    return new Problem({ title: 'This server requires an API key', detail: 'Enter the key in the form on this page.', status });
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
    return null; // Not JSON, for example the page of a proxy: the page shows the HTTP status.
  }
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
