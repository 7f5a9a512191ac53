import { Highlight } from './highlight.js';
import { openIntake } from './intake.js';
import { openKeyField } from './key.js';
import { ModelChooser } from './models.js';
import { Panel } from './panel.js';
import { Pictures } from './pictures.js';
import { showLinks } from './site.js';
import { Stage } from './stage.js';
import { Strip } from './strip.js';

const startThreshold = 0.4;

const pictures = new Pictures();
const highlight = new Highlight();
const choose = document.getElementById('choose');
const stage = new Stage(highlight, {
  retry: (picture) => {
    pictures.retry(picture);
    strip.focus(picture); // the button that had the focus is gone
  },
  remove,
});
const panel = new Panel(highlight, startThreshold, render);
const strip = new Strip({
  select: (picture) => pictures.select(picture),
  remove,
  clear: () => {
    pictures.clear();
    choose.focus();
  },
});
const chooser = new ModelChooser((model) => pictures.useModel(model));

pictures.addEventListener('change', render);
openIntake((sources) => pictures.add(sources));
openKeyField(() => {
  pictures.retryRefused();
  chooser.load();
}, choose);
showLinks();
document.addEventListener('keydown', (event) => event.key === 'Escape' && highlight.clear());
chooser.load();

/** Removes a picture; the focus goes to the one that takes its place. */
function remove(picture) {
  const at = pictures.items.indexOf(picture);
  pictures.remove(picture);
  const next = pictures.items[at] ?? pictures.items[at - 1];
  if (next) {
    strip.focus(next);
  } else {
    choose.focus();
  }
}

function render() {
  const { items, selected } = pictures;
  document.body.dataset.state = items.length > 0 ? 'pictures' : 'empty';
  panel.show(selected);
  stage.show(selected, panel.threshold);
  strip.show(items, selected, panel.threshold);
  if (selected?.state === 'done') {
    chooser.load();
  }
}
