import { el } from './elements.js';

/** The API key of this tab, when the server requires one. */
const place = 'detection.api-key';
let key = sessionStorage.getItem(place);
let showField = () => {};

export const unknownKey = 'The server does not know this key.';

/** Headers with the key, when there is one. */
export function withKey(headers) {
  return key ? { ...headers, 'X-API-Key': key } : headers;
}

/** Shows the field for the key when the status of an answer is 401. */
export function askForKeyAfter401(status) {
  if (status === 401) {
    showField();
  }
}

/** Whether there is a key. */
export function hasKey() {
  return key !== null;
}

/** Shows the field for the key when another key can do more, with the reason, or with what is wrong with the present key. */
export function askForAnotherKey(why, wrong = false) {
  showField(why, wrong);
}

/**
 * Adds the hidden field for the key below the bar at the top.
 * @param {() => void} onKey called when a key was entered
 * @param {HTMLElement} rest gets the focus afterwards, unless another element had the focus before
 */
export function openKeyField(onKey, rest) {
  let before = null;
  const field = el('input', {
    id: 'key', name: 'key', type: 'password', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'aria-describedby': 'key-error',
  });
  const error = el('p', { class: 'field-error', id: 'key-error', role: 'alert' });
  const form = el('form', { id: 'key-form', class: 'key-form', 'aria-label': 'API key', hidden: true, novalidate: true },
    el('label', { for: 'key', text: 'This server requires an API key' }),
    el('div', {}, field, el('button', { class: 'button primary', type: 'submit', text: 'Use this key' })),
    error,
    el('p', { class: 'note', text: 'The key is kept until this tab is closed.' }));
  document.querySelector('.top').after(form);

  showField = (why, wrong = !why && key !== null) => {
    if (!form.hidden) {
      return; // Several requests may get 401 at once.
    }
    form.hidden = false;
    error.textContent = why ?? (key ? unknownKey : '');
    field.setAttribute('aria-invalid', String(wrong));
    before = document.activeElement;
    field.focus();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const entered = field.value.trim();
    if (!entered) {
      field.focus();
      return;
    }
    key = entered;
    sessionStorage.setItem(place, key);
    field.value = '';
    form.hidden = true;
    onKey();
    if (form.hidden) {
      (before !== document.body && before?.checkVisibility() ? before : rest).focus();
    }
  });
}
