/** Shows the links to those pages that this address answers; the others may have an address of their own. */
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
    // No links then: the page works without.
  }
}
