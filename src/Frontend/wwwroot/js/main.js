import { Highlight } from './highlight.js';
import { openIntake } from './intake.js';
import { keep, keepView, kept, keptView } from './kept.js';
import { openKeyField } from './key.js';
import { ModelChooser } from './models.js';
import { Panel } from './panel.js';
import { Pictures } from './pictures.js';
import { openSample } from './sample.js';
import { sharedBy } from './share.js';
import { showLinks } from './site.js';
import { Stage } from './stage.js';
import { Strip } from './strip.js';

const startThreshold = 0.4;

const pictures = new Pictures();
const highlight = new Highlight();
let keptItems = '';
const choose = document.getElementById('choose');
const stage = new Stage(highlight, {
  retry: (picture) => {
    pictures.retry(picture);
    strip.focus(picture); // the button that had the focus is removed
  },
  remove,
});
const panel = new Panel(highlight, keptView().threshold ?? startThreshold, render);
const strip = new Strip({
  select: (picture) => pictures.select(picture),
  remove,
  clear: () => {
    pictures.clear();
    choose.focus();
  },
});
const chooser = new ModelChooser(keptView().model ?? null, (model) => {
  keepView({ model });
  pictures.useModel(model);
});

pictures.addEventListener('change', render);
openIntake((sources) => pictures.add(sources));
openSample((sources) => pictures.add(sources), () => strip.focus(pictures.selected));
openKeyField(() => {
  pictures.retryRefused();
  chooser.load();
}, choose);
showLinks();
document.addEventListener('keydown', (event) => event.key === 'Escape' && highlight.clear());
chooser.load();
start();

/** Restores the pictures from before a reload, and adds the one that a link names. */
async function start() {
  const { selected, model } = keptView();
  pictures.restore(await kept(), selected, model);
  window.addEventListener('hashchange', openShared);
  openShared();
}

function openShared() {
  const shared = sharedBy(location.href);
  if (!shared) {
    return;
  }
  history.replaceState(null, '', location.pathname); // a reload restores the picture
  panel.threshold = shared.threshold ?? panel.threshold;
  pictures.add([{ imageKey: shared.imageKey, model: shared.model }]);
}

/** Removes a picture and moves the focus to the one that takes its place. */
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
  keepView({ selected: selected?.id, threshold: panel.threshold });
  const current = items.map(({ id, state }) => `${id}${state === 'done'}`).join();
  if (current !== keptItems) {
    keptItems = current;
    keep(items);
  }
}
