const name = 'tourist.webp';

/** The button that looks at a picture which the server has with it. */
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
