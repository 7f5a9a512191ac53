/** Shows the links to the pages that this address serves; other pages may have another address. */
export async function showLinks() {
  try {
    const response = await fetch('/site.json', { signal: AbortSignal.timeout(10_000) });
    const { pages } = await response.json();
    for (const link of document.querySelectorAll('[data-page]')) {
      link.hidden = !pages.includes(link.dataset.page);
    }
    if (!pages.includes('detect')) {
      document.querySelector('a.brand')?.setAttribute('href', '/status');
    }
  } catch {
    // The page works without the links.
  }
}
