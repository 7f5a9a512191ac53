import { Highlight } from './highlight.js';
import { openIntake } from './intake.js';
import { openKeyField } from './key.js';
import { ModelChooser } from './models.js';
import { Panel } from './panel.js';
import { Pictures } from './pictures.js';
import { Stage } from './stage.js';
import { Strip } from './strip.js';

const startThreshold = 0.4;

const pictures = new Pictures();
const highlight = new Highlight();
const stage = new Stage(highlight, {
  retry: (picture) => pictures.retry(picture),
  remove: (picture) => pictures.remove(picture),
});
const panel = new Panel(highlight, startThreshold, render);
const strip = new Strip({
  select: (picture) => pictures.select(picture),
  clear: () => pictures.clear(),
});
const chooser = new ModelChooser((model) => pictures.useModel(model));

pictures.addEventListener('change', render);
openIntake((sources) => pictures.add(sources));
openKeyField(() => {
  pictures.retryRefused();
  chooser.load();
});
document.addEventListener('keydown', (event) => event.key === 'Escape' && highlight.clear());
chooser.load();

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
