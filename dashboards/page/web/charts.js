// Charts as SVG, drawn at the size they have. Everything is drawn left to right and mirrored for Arabic.
const SVG = 'http://www.w3.org/2000/svg';

function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function s(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const STEPS = [1, 2, 2.5, 5, 10];
const SECOND_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

/** Marks of a scale from 0: at most `most` steps that read well. */
function marks(highest, kind, most = 4) {
  const rough = highest / most;
  let step;
  if (kind === 'seconds') step = SECOND_STEPS.find((each) => each >= rough) ?? Math.ceil(rough / 604800) * 604800;
  else {
    const power = 10 ** Math.floor(Math.log10(rough));
    step = STEPS.find((each) => each * power >= rough - 1e-12) * power;
    if (kind === 'count' && step < 1) step = 1;
  }
  const found = [];
  for (let mark = 0; mark < highest + step * 0.999; mark += step) found.push(mark);
  return found;
}

const MARGIN = { top: 12, right: 10, bottom: 38, left: 46 };

/**
 * Bars, lines or areas over dates, hours or weekdays.
 * @returns {{node: SVGElement, points: {x: number, words: string}[], highlight: (index) => void}}
 */
function drawPlot({ display, rows, x, ys, isStacked, width, height, say, about, partial, label }) {
  const inner = { width: Math.max(40, width - MARGIN.left - MARGIN.right), height: Math.max(40, height - MARGIN.top - MARGIN.bottom) };
  const flip = (at) => (say.isRightToLeft ? width - at : at);
  const stacked = isStacked || display === 'areas';
  const tops = rows.map((row) => (stacked ? ys.reduce((sum, y) => sum + (row[y.name] ?? 0), 0) : Math.max(0, ...ys.map((y) => row[y.name] ?? 0))));
  const least = { seconds: 60, share: 0.01 }[ys[0].kind] ?? 1;
  const steps = marks(Math.max(...tops, least), ys[0].kind);
  const highest = steps[steps.length - 1];
  const band = inner.width / rows.length;
  const centre = (index) => MARGIN.left + band * (index + 0.5);
  const high = (value) => MARGIN.top + inner.height * (1 - value / highest);
  const svg = s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', focusable: 'false' });

  for (const mark of steps) {
    svg.append(s('line', { class: mark ? 'grid' : 'base', x1: flip(MARGIN.left), x2: flip(width - MARGIN.right), y1: high(mark), y2: high(mark) }));
    svg.append(s('text', { class: 'tick', x: flip(MARGIN.left - 8), y: high(mark) + 4, 'text-anchor': 'end' }, writtenShort(ys[0], mark, say, about)));
  }
  const column = s('rect', { class: 'cursor', y: MARGIN.top, height: inner.height, width: Math.max(band, 2), x: 0, visibility: 'hidden' });
  svg.append(column);

  const words = rows.map((row) => (x.kind === 'date' ? say.dateParts(row[x.name]).day : x.kind === 'hour' ? say.hour(row[x.name]) : shortened(written(x, row[x.name], say, about), 12)));
  const every = tickStep(rows.length, inner.width, x.kind);
  // the last month named, so that a new one is not missed between two labels
  let named = '';
  rows.forEach((row, index) => {
    if (index % every) return;
    const month = x.kind === 'date' ? row[x.name].slice(0, 7) : '';
    svg.append(s('text', { class: 'tick', x: flip(centre(index)), y: height - 20, 'text-anchor': 'middle' }, words[index]));
    if (month && month !== named) {
      svg.append(s('text', { class: 'tick month', x: flip(centre(index)), y: height - 5, 'text-anchor': 'middle' }, say.dateParts(row[x.name]).month));
      named = month;
    }
  });

  if (display === 'bars') drawBars();
  else if (display === 'areas') drawAreas();
  else drawLines();

  function drawBars() {
    const space = rows.length > 60 ? 0 : band * 0.28;
    const wide = Math.min(band - space, 44);
    const one = stacked ? wide : wide / ys.length;
    rows.forEach((row, index) => {
      let below = 0;
      ys.forEach((y, number) => {
        const value = row[y.name] ?? 0;
        if (!value) return;
        const left = centre(index) - wide / 2 + (stacked ? 0 : one * number);
        const top = high(below + value);
        const tall = high(below) - top;
        const bar = { class: `fill s${number + 1}${index === partial ? ' partial' : ''}`, x: say.isRightToLeft ? width - left - one : left, y: top, width: Math.max(one, 1), height: Math.max(tall, 1), rx: Math.min(3, one / 3) };
        svg.append(s('rect', bar));
        if (stacked) below += value;
      });
    });
  }

  function drawAreas() {
    const below = rows.map(() => 0);
    ys.forEach((y, number) => {
      const lower = rows.map((_, index) => [flip(centre(index)), high(below[index])]);
      rows.forEach((row, index) => { below[index] += row[y.name] ?? 0; });
      const upper = rows.map((_, index) => [flip(centre(index)), high(below[index])]);
      if (rows.length === 1) {
        svg.append(s('rect', { class: `fill s${number + 1}`, x: upper[0][0] - 22, y: upper[0][1], width: 44, height: Math.max(lower[0][1] - upper[0][1], 0) }));
        return;
      }
      svg.append(s('path', { class: `fill area s${number + 1}`, d: `M${upper.join('L')}L${lower.reverse().join('L')}Z` }));
    });
  }

  function drawLines() {
    ys.forEach((y, number) => {
      let pieces = '';
      let isDown = false;
      rows.forEach((row, index) => {
        const value = row[y.name];
        if (value === null || value === undefined) { isDown = false; return; }
        const alone = !isDown && (rows[index + 1]?.[y.name] ?? null) === null;
        if (alone) svg.append(s('circle', { class: `dot s${number + 1}`, cx: flip(centre(index)), cy: high(value), r: 3.5 }));
        pieces += `${isDown ? 'L' : 'M'}${flip(centre(index))},${high(value)}`;
        isDown = true;
      });
      svg.append(s('path', { class: `stroke s${number + 1}`, d: pieces || 'M0,0' }));
    });
  }

  const dots = display === 'lines' ? ys.map((_, number) => svg.appendChild(s('circle', { class: `dot s${number + 1}`, r: 4, visibility: 'hidden' }))) : [];
  return {
    node: svg,
    points: rows.map((row, index) => ({ x: flip(centre(index)), y: high(tops[index]), title: label(row, index), row, values: ys.map((y) => [y, row[y.name]]) })),
    at: (px) => Math.max(0, Math.min(rows.length - 1, Math.floor((flip(px) - MARGIN.left) / band))),
    highlight(index) {
      column.setAttribute('visibility', index === null ? 'hidden' : 'visible');
      if (index !== null) column.setAttribute('x', flip(centre(index)) - Math.max(band, 2) / 2);
      dots.forEach((dot, number) => {
        const value = index === null ? null : rows[index][ys[number].name];
        dot.setAttribute('visibility', value === null || value === undefined ? 'hidden' : 'visible');
        if (value !== null && value !== undefined) { dot.setAttribute('cx', flip(centre(index))); dot.setAttribute('cy', high(value)); }
      });
    },
  };
}

/** Every how many places a label stands. */
function tickStep(count, width, kind) {
  const fits = Math.max(2, Math.floor(width / (kind === 'hour' ? 52 : kind === 'date' ? 34 : 70)));
  const steps = kind === 'hour' ? [1, 2, 3, 4, 6, 12] : kind === 'date' ? [1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 90, 120, 180, 365] : [1, 2, 3, 4, 5, 10, 20, 50];
  return steps.find((step) => count / step <= fits) ?? Math.ceil(count / fits);
}

/** A map of cells, darker the more. Empty cells are hours that have not come in these dates. */
function drawHeat({ rows, x, down, value, width, height, say, about, weekStart, dates, label }) {
  const isWide = width >= 420;
  const downs = ordered(down, rows, weekStart);
  const names = downs.map((each) => shortened(written(down, each, say, about), isWide ? 20 : 12));
  const longest = Math.max(...names.map((name) => name.length));
  const margin = { top: 4, bottom: x.kind === 'date' ? 38 : 22, left: Math.min(isWide ? 150 : 96, Math.max(isWide ? 92 : 70, 14 + longest * 7.2)), right: 4 };
  const across = x.kind === 'hour' ? [...Array(24).keys()] : x.kind === 'date' ? dates : ordered(x, rows, weekStart);
  const cell = { width: (width - margin.left - margin.right) / across.length, height: (height - margin.top - margin.bottom) / downs.length };
  const flip = (at) => (say.isRightToLeft ? width - at : at);
  const highest = Math.max(...rows.map((row) => row[value.name] ?? 0), 0);
  const byPlace = new Map(rows.map((row) => [`${row[down.name]} ${row[x.name]}`, row]));
  const svg = s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', focusable: 'false' });
  const points = [];
  const gap = cell.width > 12 ? 2 : cell.width > 5 ? 1 : 0;
  downs.forEach((downValue, line) => {
    const top = margin.top + cell.height * line;
    svg.append(s('text', { class: 'tick', x: flip(margin.left - 8), y: top + cell.height / 2 + 4, 'text-anchor': 'end' }, names[line]));
    across.forEach((acrossValue, place) => {
      const row = byPlace.get(`${downValue} ${acrossValue}`);
      const left = margin.left + cell.width * place;
      const share = row && highest ? (row[value.name] ?? 0) / highest : 0;
      const node = s('rect', {
        class: row || x.kind === 'date' ? 'cell' : 'cell absent', x: (say.isRightToLeft ? width - left - cell.width : left) + gap / 2, y: top + gap / 2,
        width: Math.max(cell.width - gap, 1), height: Math.max(cell.height - gap, 1), rx: 3,
        style: `--share:${share ? Math.round(8 + 92 * share) : 0}%`,
      });
      svg.append(node);
      points.push({ x: flip(left + cell.width / 2), y: top, title: label(downValue, acrossValue), row, values: row ? [[value, row[value.name]]] : x.kind === 'date' ? [[value, 0]] : [], node });
    });
  });
  const every = tickStep(across.length, width - margin.left, x.kind);
  let named = '';
  across.forEach((acrossValue, place) => {
    if (place % every) return;
    const at = flip(margin.left + cell.width * (place + 0.5));
    if (x.kind === 'date') {
      const parts = say.dateParts(acrossValue);
      svg.append(s('text', { class: 'tick', x: at, y: height - 20, 'text-anchor': 'middle' }, parts.day));
      if (named !== parts.month) svg.append(s('text', { class: 'tick month', x: at, y: height - 5, 'text-anchor': 'middle' }, parts.month));
      named = parts.month;
      return;
    }
    const words = x.kind === 'hour' ? say.hour(acrossValue) : written(x, acrossValue, say, about);
    svg.append(s('text', { class: 'tick', x: at, y: height - 4, 'text-anchor': 'middle' }, words));
  });
  return {
    node: svg, points, columns: across.length,
    at: (px, py) => {
      const place = Math.floor((flip(px) - margin.left) / cell.width);
      const line = Math.floor((py - margin.top) / cell.height);
      return place < 0 || place >= across.length || line < 0 || line >= downs.length ? null : line * across.length + place;
    },
    highlight: (index) => points.forEach((point, number) => point.node.classList.toggle('is-chosen', number === index)),
  };
}

// cut where its own direction ends, not the page's
const shortened = (text, most) => (text.length > most ? isolated(`${text.slice(0, most - 1)}…`) : text);

function ordered(column, rows, weekStart) {
  if (column.kind === 'weekday') return [...Array(7).keys()].map((place) => (place + weekStart) % 7);
  const values = [...new Set(rows.map((row) => row[column.name]))];
  return column.kind === 'text' || column.kind === 'label' ? values : values.sort((a, b) => (a < b ? -1 : 1));
}

/** Bars beside their names, for what has names instead of a scale. */
function drawNamedBars({ rows, x, ys, isStacked, say, about }) {
  const total = (row) => (isStacked ? ys.reduce((sum, y) => sum + (row[y.name] ?? 0), 0) : Math.max(...ys.map((y) => row[y.name] ?? 0)));
  const highest = Math.max(...rows.map(total), 0) || 1;
  return h('div', { class: 'named', 'aria-hidden': 'true' }, rows.map((row) => [
    h('bdi', { class: 'named-name' }, written(x, row[x.name], say, about)),
    h('div', { class: isStacked ? 'named-bars is-stacked' : 'named-bars' }, ys.map((y, number) =>
      h('div', { class: `named-bar b${number + 1}`, style: `--share:${(100 * (row[y.name] ?? 0)) / highest}%`, title: written(y, row[y.name], say, about) }))),
    h('bdi', { class: 'named-value' }, isStacked ? written(ys[0], total(row), say, about) : ys.map((y) => written(y, row[y.name], say, about)).join(' · ')),
  ]));
}
