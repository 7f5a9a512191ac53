/** The API key that this tab uses, where the server asks for one. */
const place = 'detection.api-key';
let key = sessionStorage.getItem(place);
let ask = () => {};

/** Headers with the key, when there is one. */
export function withKey(headers) {
  return key ? { ...headers, 'X-API-Key': key } : headers;
}

/** An answer came: 401 has the key asked for. */
export function heard(status) {
  if (status === 401) {
    ask();
  }
}

/** The field for the key; seen only after the server has asked for one. */
export function openKeyField(onKey) {
  const form = document.getElementById('key-form');
  const field = document.getElementById('key');
  const error = document.getElementById('key-error');

  ask = () => {
    if (!form.hidden) {
      return; // Several answers say so at once.
    }
    form.hidden = false;
    error.textContent = key ? 'The server does not know this key.' : '';
    field.setAttribute('aria-invalid', String(key !== null));
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
  });
}
