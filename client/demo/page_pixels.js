'use strict';

// Colours of the maps as 32-bit words, as a little-endian ImageData holds them: alpha, blue, green, red.
const word = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const WRONG = word(255, 92, 56);
const VOID_DARK = word(38, 44, 66);
const VOID_LIGHT = word(56, 64, 92);
const HIDDEN_DARK = word(150, 156, 164);
const HIDDEN_LIGHT = word(176, 181, 188);
const LABEL_OPACITY = 0.65;

// Diagonal stripes, 4 pixels wide: neither a class colour nor a heat colour can be taken for them.
const stripe = (i, width) => ((i % width) + Math.floor(i / width)) & 4;

const voidWord = (i, width) => (stripe(i, width) ? VOID_DARK : VOID_LIGHT);

// The bytes of a picture given as a data: address, four a pixel.
async function readPixels(address, width, height) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height).data;
}

// The values of a greyscale PNG, one byte a pixel.
async function readMap(address, width, height) {
  const pixels = await readPixels(address, width, height);
  const values = new Uint8Array(width * height);
  for (let i = 0; i < values.length; ++i) values[i] = pixels[4 * i];
  return values;
}

// The class colour of each pixel over the picture; a label without a class is void.
function overlayWords(input, labels, colours, width) {
  const words = new Uint32Array(labels.length);
  for (let i = 0; i < words.length; ++i) {
    const colour = colours[labels[i]];
    const mix = (channel) => LABEL_OPACITY * colour[channel] + (1 - LABEL_OPACITY) * input[4 * i + channel];
    words[i] = colour ? word(mix(0), mix(1), mix(2)) : voidWord(i, width);
  }
  return words;
}

// Wrong labels in one colour over a pale grey picture.
function errorWords(input, labels, truth, classCount, width) {
  const words = new Uint32Array(labels.length);
  for (let i = 0; i < words.length; ++i) {
    const grey = 70 + 0.6 * (0.299 * input[4 * i] + 0.587 * input[4 * i + 1] + 0.114 * input[4 * i + 2]);
    if (truth[i] >= classCount) {
      words[i] = voidWord(i, width);
    } else {
      words[i] = labels[i] === truth[i] ? word(grey, grey, grey) : WRONG;
    }
  }
  return words;
}

// Draws `words`, with stripes where the code is above `threshold`.
function draw(canvas, words, codes, threshold) {
  const image = new ImageData(canvas.width, canvas.height);
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < out.length; ++i) {
    out[i] = codes[i] <= threshold ? words[i] : (stripe(i, canvas.width) ? HIDDEN_DARK : HIDDEN_LIGHT);
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

// How many pixels have a code of at most each threshold: all of them, those with ground truth, those labelled right.
function countUpTo(codes, labels, truth, classCount) {
  const counts = {all: new Float64Array(256), labelled: new Float64Array(256), right: new Float64Array(256)};
  for (let i = 0; i < codes.length; ++i) {
    ++counts.all[codes[i]];
    if (truth === null || truth[i] >= classCount) continue;
    ++counts.labelled[codes[i]];
    if (truth[i] === labels[i]) ++counts.right[codes[i]];
  }
  for (const list of Object.values(counts)) {
    for (let code = 1; code < 256; ++code) list[code] += list[code - 1];
  }
  return counts;
}
