const name = 'tourist.webp';

/**
 * The button for the sample picture of the server.
 * @param {() => void} moveFocus called when the button, which vanishes, had the focus
 */
export function openSample(onSources, moveFocus) {
  const button = document.getElementById('sample');
  button.addEventListener('click', async () => {
    const focused = document.activeElement === button;
    button.disabled = true;
    try {
      const response = await fetch(`/samples/${name}`);
      onSources([{ file: new File([await response.blob()], name, { type: 'image/webp' }) }]);
      if (focused && (document.activeElement === button || document.activeElement === document.body)) {
        moveFocus();
      }
    } finally {
      button.disabled = false;
    }
  });
}
