(async () => {
  const page = JSON.parse(document.getElementById('page-data').textContent);
  const classCount = page.colours.length;
  const heat = page.heat.map((colour) => word(...colour));
  const element = (id) => document.getElementById(id);
  const percent = (part, whole) => (whole > 0 ? `${(100 * part / whole).toFixed(1)} %` : '–');

  // What is left at the threshold, of one picture or of several.
  function leftover(list, threshold) {
    const sum = (name, code) => list.reduce((total, counts) => total + counts[name][code], 0);
    const kept = percent(sum('all', threshold), sum('all', 255));
    const hasTruth = sum('labelled', 255) > 0;
    return {kept, right: hasTruth ? percent(sum('right', threshold), sum('labelled', threshold)) : null};
  }

  async function prepareModel(picture, id, input, truth) {
    const {width, height} = picture;
    const labels = await readMap(picture.labels, width, height);
    const codes = await readMap(picture.uncertainty, width, height);
    const maps = [
      [element(`${id}-labels`), overlayWords(input, labels, page.colours, width)],
      [element(`${id}-uncertainty`), Uint32Array.from(codes, (code) => heat[code])],
    ];
    if (truth) maps.push([element(`${id}-errors`), errorWords(input, labels, truth, classCount, width)]);
    return {codes, maps, live: element(`${id}-labels-live`), counts: countUpTo(codes, labels, truth, classCount)};
  }

  async function preparePicture(picture, index) {
    const {width, height} = picture;
    const input = await readPixels(picture.input, width, height);
    const truth = picture.truth && await readMap(picture.truth, width, height);
    element(`p${index}-input`).getContext('2d').putImageData(new ImageData(input, width, height), 0, 0);
    if (truth) {
      const none = new Uint8Array(width * height);
      draw(element(`p${index}-truth`), overlayWords(input, truth, page.colours, width), none, 255);
    }
    const size = {width, height};
    return {
      student: await prepareModel({...picture.student, ...size}, `p${index}-student`, input, truth),
      teacher: await prepareModel({...picture.teacher, ...size}, `p${index}-teacher`, input, truth),
    };
  }

  const pictures = [];
  const slider = element('threshold');

  function update() {
    const threshold = Number(slider.value);
    const value = (page.scale * threshold / 255).toFixed(3);
    element('threshold-value').textContent = value;
    element('bar-mark').style.left = `${100 * threshold / 255}%`;
    slider.setAttribute('aria-valuetext', value);
    for (const picture of pictures) {
      for (const model of [picture.student, picture.teacher]) {
        for (const [canvas, words] of model.maps) draw(canvas, words, model.codes, threshold);
        const {kept, right} = leftover([model.counts], threshold);
        model.live.textContent = right === null ? `${kept} kept` : `${kept} kept, ${right} of them right`;
      }
    }
    if (pictures.length < page.pictures.length) return;  // totals of some would pass for those of all
    element('totals').replaceChildren(...['student', 'teacher'].map((name) => {
      const {kept, right} = leftover(pictures.map((picture) => picture[name].counts), threshold);
      const line = document.createElement('span');
      const title = document.createElement('b');
      title.textContent = name;
      line.append(title, right === null ? ` keeps ${kept}` : ` keeps ${kept}, ${right} of them right`);
      return line;
    }));
  }

  // One redraw a frame, however fast the slider moves.
  let scheduled = false;
  slider.addEventListener('input', () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      update();
    });
  });
  element('control').addEventListener('submit', (event) => event.preventDefault());
  // index.html#threshold=70 opens the page with the slider there, of 255.
  const wanted = /^#threshold=(\d{1,3})$/.exec(location.hash);
  if (wanted) slider.value = wanted[1];
  for (let index = 0; index < page.pictures.length; ++index) {
    pictures.push(await preparePicture(page.pictures[index], index));
    update();
  }
})();
