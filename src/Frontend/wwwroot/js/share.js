/**
 * A link to the result of a picture, for other users of the server. The parameters are after the hash, which browsers send to no server. The
 * link works until the result expires.
 */
export function linkTo({ answer }, threshold) {
  const parts = new URLSearchParams({ picture: answer.imageKey, model: answer.model, threshold: String(threshold) });
  return `${location.origin}/#${parts}`;
}

/** The parameters of a link: { imageKey, model, threshold }, or null. */
export function sharedBy(address) {
  const parts = new URLSearchParams(new URL(address).hash.slice(1));
  const imageKey = parts.get('picture') ?? '';
  const threshold = Number(parts.get('threshold'));
  return /^[0-9a-f]{64}$/.test(imageKey)
    ? { imageKey, model: parts.get('model'), threshold: threshold >= 0.05 && threshold <= 0.95 ? threshold : null }
    : null;
}

/** Copies a text to the clipboard. navigator.clipboard exists only for pages over HTTPS or from localhost. */
export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (!copied) {
    throw new Error('This browser does not allow copying.');
  }
}
