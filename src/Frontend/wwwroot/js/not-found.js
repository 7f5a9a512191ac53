import { showLinks } from './site.js';

document.getElementById('path').textContent = location.pathname;
showLinks();
