/** All ways to add pictures: chosen files, files or links that are dropped or pasted, and a typed URL. */
export function openIntake(onSources) {
  const choose = document.getElementById('choose');
  const files = document.getElementById('files');
  const form = document.getElementById('url-form');
  const field = document.getElementById('url');
  const fieldError = document.getElementById('url-error');
  const veil = document.getElementById('drop-veil');

  choose.addEventListener('click', () => files.click());
  files.addEventListener('change', () => {
    onSources(filesOf(files.files));
    files.value = ''; // so that the same file can be chosen again
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const url = webAddress(field.value);
    showError(url ? '' : 'Enter an address that starts with http:// or https://');
    if (url) {
      onSources([{ url }]);
      field.value = '';
    } else {
      field.focus();
    }
  });
  field.addEventListener('input', () => showError(''));

  document.addEventListener('paste', (event) => {
    const pictures = filesOf(event.clipboardData?.files ?? []);
    const url = event.target instanceof HTMLInputElement ? null : webAddress(event.clipboardData?.getData('text/plain') ?? '');
    if (pictures.length > 0 || url) {
      event.preventDefault();
      onSources(pictures.length > 0 ? pictures : [{ url }]);
    }
  });

  // A drag raises enter and leave for each child element, so they are counted.
  let depth = 0;
  const drags = (event) => event.dataTransfer && ['Files', 'text/uri-list'].some((type) => event.dataTransfer.types.includes(type));
  document.addEventListener('dragenter', (event) => {
    if (drags(event)) {
      event.preventDefault();
      depth += 1;
      veil.hidden = false;
    }
  });
  document.addEventListener('dragleave', (event) => {
    if (drags(event)) {
      depth = Math.max(0, depth - 1);
      veil.hidden = depth === 0;
    }
  });
  document.addEventListener('dragover', (event) => {
    if (drags(event)) {
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
    }
  });
  document.addEventListener('drop', (event) => {
    if (!drags(event)) {
      return;
    }
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    const dropped = filesOf(event.dataTransfer.files);
    const url = webAddress(event.dataTransfer.getData('text/uri-list').split(/\r?\n/)[0]);
    onSources(dropped.length > 0 ? dropped : url ? [{ url }] : []);
  });

  function showError(error) {
    fieldError.textContent = error;
    field.setAttribute('aria-invalid', String(error !== ''));
  }
}

function filesOf(list) {
  return Array.from(list, (file) => ({ file }));
}

function webAddress(text) {
  const url = URL.parse?.(text.trim()) ?? tryUrl(text.trim());
  return url && (url.protocol === 'http:' || url.protocol === 'https:') ? url.href : null;
}

function tryUrl(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
