const name = 'tourist.webp';

/** The button for the sample picture of the server. */
export function openSample(onSources) {
  const button = document.getElementById('sample');
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const response = await fetch(`/samples/${name}`);
      onSources([{ file: new File([await response.blob()], name, { type: 'image/webp' }) }]);
    } finally {
      button.disabled = false;
    }
  });
}
