/** The reason why there is no answer, with the members of an RFC 9457 problem. */
export class Problem extends Error {
  constructor({ title, detail = '', status = 0, retryAfter = null, isTransient = status === 401 || status === 408 || status === 429 || status >= 500 }) {
    super(title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    /** Seconds to wait before a retry, or null. */
    this.retryAfter = retryAfter;
    /** Whether a retry may succeed. */
    this.isTransient = isTransient;
  }
}
