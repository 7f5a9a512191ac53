/** Why there is no answer, as an RFC 9457 problem tells it. */
export class Problem extends Error {
  constructor({ title, detail = '', status = 0, retryAfter = null, passes = status === 401 || status === 408 || status === 429 || status >= 500 }) {
    super(title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    /** Seconds to wait before a retry, or null. */
    this.retryAfter = retryAfter;
    /** Whether the same may go well later. */
    this.passes = passes;
  }
}
