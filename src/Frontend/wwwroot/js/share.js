/**
 * The address of a picture and what was found in it, for somebody else who may use the server. What it names stands behind the hash:
 * browsers send that to no server. It works as long as the server keeps the result.
 */
export function linkTo({ answer }, threshold) {
  const parts = new URLSearchParams({ picture: answer.imageKey, model: answer.model, threshold: String(threshold) });
  return `${location.origin}/#${parts}`;
}

/** What an address names: { imageKey, model, threshold }, or null. */
export function sharedBy(address) {
  const parts = new URLSearchParams(new URL(address).hash.slice(1));
  const imageKey = parts.get('picture') ?? '';
  const threshold = Number(parts.get('threshold'));
  return /^[0-9a-f]{64}$/.test(imageKey)
    ? { imageKey, model: parts.get('model'), threshold: threshold >= 0.05 && threshold <= 0.95 ? threshold : null }
    : null;
}

/** Puts a text into the clipboard. Browsers have it only for pages that came safely (HTTPS, or this machine). */
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
    throw new Error('This browser does not let the page copy.');
  }
}
