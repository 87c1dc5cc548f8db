// The page: state in the address, controls, cards. Every number comes from a card's SQL on the database inside this file.
const content = JSON.parse(document.getElementById('salwa-content').textContent);
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const PRESETS = ['today', 'yesterday', 'last_7_days', 'last_30_days', 'this_month', 'last_month', 'custom'];
const CHOSEN = ['channel', 'tag', 'agent', 'window'];
const NAMES = { ar: 'العربية', en: 'English', fr: 'Français' };
const ROWS_SHOWN = 10;
const ROWS_MORE = 200;
const ROWS_BEHIND = 50;
const ICONS = {
  info: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm0 9v6M12 7.2v.3',
  table: 'M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9',
  chart: 'M5 20V11M12 20V4M19 20v-7',
  theme: 'M12 3a9 9 0 1 0 0 18V3Z',
  print: 'M7 9V3h10v6M7 17H4v-7a1 1 0 0 1 1-1h14a1 1 0 0 1 1 1v7h-3M7 14h10v7H7z',
  out: 'M9 5h10v10M19 5 6 18',
  into: 'm9 5 7 7-7 7',
  close: 'M6 6l12 12M18 6 6 18',
};
const icon = (name) => s('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, s('path', { d: ICONS[name] }));

let database;
let say;
let state;
let drawn = 0;
const answers = new Map();
const byId = (id) => document.getElementById(id);
const columnOf = (card, name) => ({ name, ...card.columns[name] });

// --- state ---------------------------------------------------------------------------------------------------------

const isDate = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? '') && !Number.isNaN(Date.parse(text));

function readState() {
  const told = new URLSearchParams(location.hash.slice(1));
  const one = (name, allowed, fallback) => (allowed.includes(told.get(name)) ? told.get(name) : fallback);
  const found = {
    lang: one('lang', Object.keys(content.catalogues), content.language),
    tab: one('tab', content.tabs.map((tab) => tab.name), content.tabs[0].name),
    range: one('range', PRESETS, 'this_month'),
    workspace: one('workspace', content.workspaces.map((each) => each.name), canMix() ? '' : content.workspaces[0]?.name ?? ''),
    from: told.get('from'), to: told.get('to'),
  };
  for (const name of CHOSEN) found[name] = one(name, choices(name, found.workspace), '');
  if (found.range === 'custom' && !(isDate(found.from) && isDate(found.to))) found.range = 'this_month';
  return found;
}

function writeState() {
  const told = new URLSearchParams({ lang: state.lang, tab: state.tab, range: state.range });
  if (state.range === 'custom') { told.set('from', state.from); told.set('to', state.to); }
  for (const name of ['workspace', ...CHOSEN]) if (state[name]) told.set(name, state[name]);
  history.replaceState(null, '', `#${told}`);
}

/** Businesses are shown together only if a day and an amount mean the same in all of them. */
const canMix = () => new Set(content.workspaces.map((each) => `${each.timezone} ${each.currency}`)).size < 2;
const shownWorkspaces = () => content.workspaces.filter((each) => !state?.workspace || each.name === state.workspace);
const about = () => shownWorkspaces()[0] ?? { timezone: 'UTC', currency: 'SAR', week_start: 'sunday', today: '1970-01-01' };
const today = () => shownWorkspaces().map((each) => each.today).sort().at(-1) ?? about().today;

function choices(name, workspace) {
  const rows = (content.choices[name] ?? []).filter(([where]) => !workspace || where === workspace);
  return [...new Set(rows.map(([, value]) => String(value)))];
}

function chosenDates() {
  const dates = state.range === 'custom' ? [state.from, state.to] : presetDates(state.range, today());
  return dates[0] <= dates[1] ? dates : [dates[1], dates[0]];
}

function chosenFilters() {
  const chosen = tabNow().filters.includes('date') ? { date: chosenDates() } : {};
  if (state.workspace) chosen.workspace = [state.workspace];
  for (const name of tabNow().filters) if (state[name]) chosen[name] = [content.filters[name].kind === 'number' ? Number(state[name]) : state[name]];
  return chosen;
}

/** Each chosen day that the data know. */
function shownDates() {
  const [from, to] = chosenDates();
  const [first, last] = [from < content.firstDate ? content.firstDate : from, to > today() ? today() : to];
  return Array.from({ length: Math.max(0, daysBetween(first, last) + 1) }, (_, days) => moved(first, days));
}

// the moment of the data stands above every tab
const headCard = content.tabs.flatMap((tab) => tab.cards).find((card) => card.display === 'sentence' && card.place.row === 0);
const tabNow = () => content.tabs.find((tab) => tab.name === state.tab);

function change(changes) {
  const needsControls = ['lang', 'tab', 'workspace'].some((name) => name in changes);
  Object.assign(state, changes);
  for (const name of CHOSEN) if (state[name] && !choices(name, state.workspace).includes(state[name])) state[name] = '';
  writeState();
  if (needsControls) renderAll();
  else { showControls(); renderCards(); }
}

// --- answers -------------------------------------------------------------------------------------------------------

function answer(sqlName) {
  const { sql, values } = filled(content.cards[sqlName], chosenFilters(), content.filters);
  const key = `${sqlName} ${JSON.stringify([sql.length, values])}`;
  if (!answers.has(key)) {
    if (answers.size > 200) answers.clear();
    answers.set(key, rowsOf(database, sql, values));
  }
  return answers.get(key);
}

/** What a click on a row of a card opens: {rows, chosen, narrowed}; filters as they then are, and what else is narrowed. */
function behind(card, row) {
  const { rows, where, by } = card.behind;
  const source = content.rows[rows];
  const now = chosenFilters();
  const chosen = Object.fromEntries(card.filters_behind.filter((name) => now[name]).map((name) => [name, now[name]]));
  const narrowed = {};
  for (const [name, column] of Object.entries(by)) {
    if (!content.filters[name]) narrowed[name] = row[column];
    else chosen[name] = content.filters[name].kind === 'date' ? [row[column], row[column]] : [row[column]];
  }
  const { sql, values } = filled(content.cards[source.sql], chosen, content.filters);
  const conditions = [where, ...Object.keys(narrowed).map((name) => `${name} = $clicked_${name}`)].filter(Boolean);
  for (const [name, value] of Object.entries(narrowed)) values[`$clicked_${name}`] = value;
  const found = rowsOf(database, conditions.length ? `select * from (${sql}\n) as rows_behind where ${conditions.join(' and ')}` : sql, values);
  return { rows: found, chosen, narrowed };
}

/** Whether a click on this row of a card opens anything. */
function leads(card, row) {
  if (!card.behind || !row) return false;
  const counted = card.behind.count.length ? card.behind.count : card.figure ? [card.figure.value] : (card.chart?.y ?? []);
  const isNamed = Object.values(card.behind.by).every((column) => row[column] !== null && row[column] !== undefined);
  return isNamed && (!counted.length || counted.some((name) => row[name]));
}

// --- controls ------------------------------------------------------------------------------------------------------

const word = (key, values) => say.plain(say.text('page', key), values);

function renderAll() {
  const focused = document.activeElement?.id;
  say = speaker(state.lang, content.catalogues[state.lang], content.digits);
  document.documentElement.lang = state.lang;
  document.documentElement.dir = say.isRightToLeft ? 'rtl' : 'ltr';
  document.title = word('title');
  document.body.replaceChildren(
    h('a', { class: 'skip', href: '#cards', onclick: (event) => { event.preventDefault(); byId('cards').focus(); } }, word('skip')),
    header(), h('div', { id: 'banner', class: 'banner', role: 'status' }), h('div', { class: 'controls', id: 'controls' }, controls()),
    h('main', { id: 'cards', tabindex: '-1', role: content.tabs.length > 1 ? 'tabpanel' : null, 'aria-labelledby': content.tabs.length > 1 ? `tab-${state.tab}` : null }),
    h('div', { id: 'tip', class: 'tip', hidden: true }), h('div', { id: 'spoken', class: 'sr', 'aria-live': 'polite' }),
  );
  showControls();
  renderShells();
  renderCards();
  if (focused) byId(focused)?.focus();
}

function header() {
  return h('header', { class: 'top' },
    h('div', { class: 'top-words' }, h('h1', {}, word('title')), h('p', { class: 'status', id: 'status' })),
    h('div', { class: 'tools' },
      h('div', { class: 'languages', role: 'group', 'aria-label': word('language') }, Object.keys(content.catalogues).map((lang) =>
        h('button', { type: 'button', id: `lang-${lang}`, lang, 'aria-pressed': String(lang === state.lang), onclick: () => change({ lang }) }, NAMES[lang] ?? lang))),
      h('button', { type: 'button', class: 'round', id: 'theme', 'aria-label': word('theme'), title: word('theme'), onclick: switchTheme }, icon('theme')),
      h('button', { type: 'button', class: 'round', id: 'print', 'aria-label': word('print'), title: word('print'), onclick: () => print() }, icon('print'))));
}

function controls() {
  const tab = tabNow();
  const tabs = content.tabs.length > 1 && h('div', { class: 'tabs', role: 'tablist', onkeydown: moveTab }, content.tabs.map((each) => h('button', {
    type: 'button', role: 'tab', id: `tab-${each.name}`, 'aria-controls': 'cards', 'aria-selected': String(each.name === state.tab),
    tabindex: each.name === state.tab ? '0' : '-1', onclick: () => change({ tab: each.name }),
  }, say.text('tabs', each.name) ?? each.name)));
  const presets = tab.filters.includes('date') && h('div', { class: 'presets', role: 'group', 'aria-label': say.text('filters', 'date') }, PRESETS.map((preset) =>
    h('button', { type: 'button', id: `preset-${preset}`, onclick: () => choosePreset(preset) }, say.text('presets', preset))));
  const custom = tab.filters.includes('date') && h('div', { class: 'custom', id: 'custom' }, ['from', 'to'].map((end) => h('label', {}, h('span', {}, word(end)),
    h('input', { type: 'date', id: end, required: true, min: content.firstDate, max: today(), onchange: (event) => isDate(event.target.value) && change({ [end]: event.target.value }) }))));
  const filters = ['workspace', ...CHOSEN].filter((name) => tab.filters.includes(name)).map(chooser);
  return [tabs, h('div', { class: 'row' }, presets || null, custom || null, h('div', { class: 'filters' }, filters))].filter(Boolean);
}

function moveTab(event) {
  const names = content.tabs.map((tab) => tab.name);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = names[(names.indexOf(state.tab) + (say.isRightToLeft ? -step : step) + names.length) % names.length];
  change({ tab: next });
  byId(`tab-${next}`).focus();
}

function chooser(name) {
  const values = name === 'workspace' ? content.workspaces.map((each) => each.name) : choices(name, state.workspace);
  if (values.length < (name === 'tag' || name === 'agent' ? 1 : 2)) return null;
  const options = name === 'window' ? windowOptions(values) : values.sort((a, b) => a.localeCompare(b, state.lang)).map((value) => h('option', { value }, value));
  if (name !== 'window' && (name !== 'workspace' || canMix())) options.unshift(h('option', { value: '' }, word('all')));
  const select = h('select', { id: name, onchange: (event) => change({ [name]: event.target.value }) }, options);
  select.value = state[name];
  return h('label', { class: 'filter' }, h('span', {}, say.text('filters', name)), select);
}

/** The business's own stands for nothing chosen; where several differ, each has its own. */
function windowOptions(values) {
  const own = [...new Set(content.choices.window.filter(([where, , isOwn]) => isOwn && (!state.workspace || where === state.workspace)).map(([, value]) => String(value)))];
  const options = values.sort((a, b) => a - b).map((value) => h('option', { value: own.length === 1 && value === own[0] ? '' : value }, say.days(Number(value))));
  return own.length === 1 ? options : [h('option', { value: '' }, word('own_window')), ...options];
}

function choosePreset(preset) {
  const [from, to] = chosenDates();
  change(preset === 'custom' ? { range: preset, from, to } : { range: preset });
  if (preset === 'custom') byId('from').focus();
}

/** Controls as the state is. */
function showControls() {
  for (const preset of PRESETS) byId(`preset-${preset}`)?.setAttribute('aria-pressed', String(preset === state.range));
  centre(byId(`preset-${state.range}`));
  centre(byId(`tab-${state.tab}`));
  if (byId('custom')) byId('custom').hidden = state.range !== 'custom';
  if (state.range === 'custom') for (const end of ['from', 'to']) if (byId(end) && byId(end).value !== state[end]) byId(end).value = state[end];
  for (const name of ['workspace', ...CHOSEN]) {
    const select = byId(name);
    if (!select) continue;
    select.value = state[name];
    select.closest('label').classList.toggle('is-set', Boolean(state[name]) && name !== 'workspace');
  }
}

/** On a phone the rows of tabs and presets are wider than the screen: what is chosen is moved into sight. */
function centre(button) {
  const frame = button?.parentElement;
  if (!frame || frame.scrollWidth <= frame.clientWidth) return;
  const [inside, outside] = [button.getBoundingClientRect(), frame.getBoundingClientRect()];
  frame.scrollBy({ left: inside.left + inside.width / 2 - outside.left - outside.width / 2 });
}

function switchTheme() {
  const isDark = getComputedStyle(document.documentElement).colorScheme === 'dark';
  setTheme(isDark ? 'light' : 'dark');
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem('salwa-theme', theme); } catch { /* a browser that keeps nothing */ }
}

// --- cards ---------------------------------------------------------------------------------------------------------

/** The cards of the tab with what is drawn into them. A sentence right below a card of its width is its caption. */
function renderShells() {
  const cards = [...tabNow().cards].sort((a, b) => a.place.row - b.place.row || a.place.col - b.place.col);
  const captions = new Map();
  const placed = [];
  for (const card of cards) {
    const above = card.display === 'sentence' && cards.find((each) => each !== card && each.place.col === card.place.col
      && each.place.width === card.place.width && each.place.row + each.place.height === card.place.row && each.display !== 'sentence');
    if (above) captions.set(above.name, card);
    else if (card.name !== headCard?.name) placed.push(card);
  }
  const rows = gridRows(placed, captions);
  const grid = h('div', { class: 'grid' }, placed.map((card) => shell(card, captions.get(card.name), rows)));
  byId('cards').replaceChildren(h('h2', { id: 'range', class: 'range' }), ...(content.cutFrom ? [h('p', { class: 'cut' }, ...marked(say.text('page', 'cut'), { date: say.date(content.cutFrom) }))] : []), grid);
}

/** The rows of the spec's grid that the page has: a table is as tall as its rows, so what it alone spans falls away. */
function gridRows(cards, captions) {
  const spans = cards.map((card) => [card, card.place.row, card.display === 'table' ? 1 : card.place.height + (captions.get(card.name)?.place.height ?? 0)]);
  return [...new Set(spans.flatMap(([, row, tall]) => [...Array(tall).keys()].map((each) => row + each)))].sort((a, b) => a - b);
}

function shell(card, caption, rows) {
  const { col, width } = card.place;
  const last = card.place.row + card.place.height + (caption ? caption.place.height : 0);
  const row = rows.indexOf(card.place.row);
  const tall = rows.filter((each) => each >= card.place.row && each < last).length;
  const article = h('article', {
    class: `card is-${card.display}${width < 6 ? ' is-narrow' : ''}${width <= 14 ? ' is-third' : ''}`, 'data-card': card.name, 'aria-labelledby': `title-${card.name}`, 'aria-busy': 'true',
    style: `--col:${col + 1};--row:${row + 1};--wide:${width};--tall:${tall}`,
  },
  h('div', { class: 'card-head' }, h('h3', { id: `title-${card.name}` }, titleOf(card)), explainer(card)),
  h('div', { class: 'card-body' }),
  caption && h('p', { class: 'caption', 'data-card': caption.name }));
  return article;
}

const titleOf = (card, row) => {
  const by = card.figure?.title_by;
  return (by && row && say.text('titles', `${card.name}.${row[by]}`)) || say.text('titles', card.name) || card.name;
};

/** The button that tells what the card means. */
function explainer(card) {
  const description = say.text('descriptions', card.name);
  if (!description) return null;
  const popover = h('div', { popover: 'auto', id: `about-${card.name}`, class: 'about', dir: 'auto' }, description);
  const button = h('button', { type: 'button', class: 'quiet', popovertarget: popover.id, 'aria-label': word('explain', { title: titleOf(card) }) }, icon('info'));
  popover.addEventListener('beforetoggle', (event) => {
    if (event.newState !== 'open') return;
    const box = button.getBoundingClientRect();
    const wide = Math.min(320, innerWidth - 24);
    popover.style.width = `${wide}px`;
    popover.style.left = `${Math.max(12, Math.min(innerWidth - wide - 12, box.left + box.width / 2 - wide / 2))}px`;
    popover.style.top = `${box.bottom + 8}px`;
    requestAnimationFrame(() => {
      const over = popover.getBoundingClientRect();
      if (over.bottom > innerHeight - 8) popover.style.top = `${Math.max(8, box.top - over.height - 8)}px`;
    });
  });
  return [button, popover];
}

/** A template as nodes, each value apart from the direction of the text. */
function marked(template, values) {
  return say.pieces(template, values).map((piece) => ('text' in piece ? document.createTextNode(piece.text) : h('bdi', {}, piece.value)));
}

const pause = () => new Promise((done) => { setTimeout(done, 0); });

async function renderCards() {
  const turn = ++drawn;
  hideTip();
  byId('range').replaceChildren(...rangeWords());
  drawHead();
  const cards = tabNow().cards.filter((card) => card.name !== headCard?.name);
  for (const node of document.querySelectorAll('[data-card]')) node.setAttribute('aria-busy', 'true');
  for (const card of cards.sort((a, b) => a.place.row - b.place.row || a.place.col - b.place.col)) {
    const node = document.querySelector(`[data-card="${card.name}"]`);
    await pause();
    if (turn !== drawn) return;
    try {
      const rows = answer(card.sql);
      if (card.display === 'sentence') node.replaceChildren(...sentence(card, rows));
      else drawCard(node, card, rows);
    } catch (error) {
      console.error(card.name, error);
      (node?.querySelector('.card-body') ?? node)?.replaceChildren(empty(word('failed')));
    }
    node?.setAttribute('aria-busy', 'false');
  }
  document.documentElement.dataset.ready = String(turn);
}

/** The dates and filters, in words: on the screen and on paper. */
function rangeWords(chosen = chosenFilters(), narrowed = []) {
  const named = Object.entries(chosen).filter(([name]) => name !== 'date' && (name !== 'workspace' || content.workspaces.length > 1))
    .map(([name, [value]]) => [say.text('filters', name), name === 'window' ? say.days(value) : value]);
  return [chosen.date && h('bdi', {}, say.range(chosen.date)), ...[...named, ...narrowed].map(([name, value]) => h('span', { class: 'chip' }, `${name}: `, h('bdi', {}, value)))].filter(Boolean);
}

function drawHead() {
  const address = safeLink(content.refreshUrls[state.lang]);
  const refresh = address && h('a', { class: 'refresh', href: address }, word('refresh'));
  byId('status').replaceChildren(...(headCard ? sentence(headCard, answer(headCard.sql)) : []), ...(refresh ? [' · ', refresh] : []));
  byId('banner').replaceChildren(...banner());
}

/** What is wrong with the data, on every tab but the one that tells it. */
function banner() {
  if (state.tab === 'data_status' || !content.cards.source_health) return [];
  const found = [];
  if (content.cards.refresh_runs && answer('refresh_runs')[0]?.outcome === 'failed') found.push(word('banner_failed'));
  if (answer('source_health').some((row) => row.health === 'attention')) found.push(word('banner_health'));
  if (!found.length) return [];
  const link = h('button', { type: 'button', class: 'to-status', onclick: () => { change({ tab: 'data_status' }); byId('tab-data_status')?.focus(); } }, say.text('tabs', 'data_status'));
  return [h('p', {}, found.join(' '), ' ', link)];
}

function sentence(card, rows) {
  const row = rows[0];
  if (!row || Object.values(row).every((value) => value === null)) return [say.text('empty', card.name) ?? word('no_data')];
  const missing = Object.keys(card.columns).filter((name) => row[name] === null).map((name) => name.split('_')[0]);
  const template = say.text('sentences', missing.length ? `${card.name}.without_${missing[0]}` : card.name) ?? say.text('sentences', card.name);
  return marked(template, Object.fromEntries(Object.keys(card.columns).map((name) => [name, written(columnOf(card, name), row[name], say, about())])));
}

const empty = (words) => h('p', { class: 'empty' }, words);

function drawCard(node, card, rows) {
  const body = node.querySelector('.card-body');
  const first = rows.find((row) => row.range_name === 'chosen') ?? rows[0];
  node.querySelector('h3').textContent = titleOf(card, first);
  const drawings = { figure: drawFigure, table: drawTable, heat: drawChart, bars: drawChart, lines: drawChart, areas: drawChart };
  body.replaceChildren(...drawings[card.display](card, rows, node));
  const idle = tabNow().filters.filter((name) => name !== 'date' && name !== 'workspace' && state[name] && !card.filters.includes(name));
  if (idle.length) body.append(h('p', { class: 'idle' }, ...marked(say.text('page', 'filter_without_effect'), { filters: say.list(idle.map((name) => say.text('filters', name))) })));
  body.querySelector('.plot')?.draw?.();
}

function drawFigure(card, rows, node) {
  const chosen = rows.find((row) => row.range_name === 'chosen') ?? rows[0] ?? {};
  const previous = rows.find((row) => row.range_name === 'previous');
  const column = columnOf(card, card.figure.value);
  const value = chosen[column.name];
  node.dataset.value = value ?? '';
  const shown = h('bdi', {}, ...sized(column, value));
  const parts = [h('p', { class: `value of-${column.kind}` }, leads(card, chosen) ? toRows(card, chosen, shown) : shown)];
  if (value === null || value === undefined) parts.push(h('p', { class: 'change' }, say.text('empty', card.name) ?? word('no_data')));
  else if (previous) parts.push(comparison(card, column, value, previous));
  const notes = card.figure.notes.map((key) => note(card, key, chosen)).filter(Boolean);
  if (notes.length) parts.push(h('ul', { class: 'notes' }, notes));
  return parts;
}

/** The number as a button, as large as its card, that opens the rows behind it. */
function toRows(card, row, shown) {
  const value = written(columnOf(card, card.figure.value), row[card.figure.value], say, about());
  return h('button', { type: 'button', class: 'to-rows', id: `to-rows-${card.name}`, 'aria-haspopup': 'dialog', title: word('show_rows'),
    'aria-label': `${titleOf(card, row)}: ${value}. ${word('show_rows')}`, onclick: () => openRows(card, row) }, shown, icon('into'));
}

/** The rows behind a figure, a bar or a row, over the page. The browser keeps the focus inside, closes it on Escape and gives the focus back. */
function openRows(card, row) {
  const source = content.rows[card.behind.rows];
  const { rows: found, chosen, narrowed } = behind(card, row);
  const named = Object.entries(narrowed).map(([name, value]) => { const column = columnOf(source, name); return [nameOf(source, column), written(column, value, say, about())]; });
  // a column in which nothing stands, or what was clicked everywhere, is left out; amounts are not rounded, because they add up
  const shows = source.shows.filter((name) => !(name in narrowed) && found.some((each) => each[name] !== null));
  const columns = Object.fromEntries(Object.entries(source.columns).map(([name, column]) => [name, { ...column, isExact: true }]));
  const words = say.plain(say.text('page', 'rows_counted'), { what: say.text('titles', source.name), n: say.number(found.length) });
  const close = h('button', { type: 'button', class: 'round', 'aria-label': word('close'), title: word('close'), onclick: () => dialog.close() }, icon('close'));
  const dialog = h('dialog', { id: 'rows', class: 'rows', 'aria-labelledby': 'rows-title', 'aria-describedby': 'rows-count', 'data-count': found.length },
    h('div', { class: 'rows-frame' },
      h('div', { class: 'rows-head' },
        h('div', {}, h('h2', { id: 'rows-title' }, titleOf(card, row)), h('p', { class: 'range' }, h('span', { id: 'rows-count' }, words), ...rangeWords(chosen, named).map((each) => (each.tagName === 'BDI' ? h('span', { class: 'when' }, each) : each)))),
        close),
      h('div', { class: 'rows-body' }, ...drawTable({ ...source, shows, columns }, found, null, ROWS_BEHIND))));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); }); // beside it
  hideTip();
  byId('rows')?.remove();
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

/** Units stand smaller than their numbers. */
function sized(column, value) {
  const text = written(column, value, say, about());
  if (!['seconds', 'money', 'share'].includes(column.kind) || value === null) return [text];
  return text.split(/([\d\u0660-\u0669][\d\u0660-\u0669.,\u066b\u066c\u00a0\u202f]*)/).filter(Boolean).map((piece) =>
    (/[\d\u0660-\u0669]/.test(piece) ? piece : h('span', { class: 'unit' }, piece)));
}

function comparison(card, column, value, previous) {
  const before = previous[column.name];
  const dates = previousDates(chosenDates(), today());
  if (!previous.is_covered || before === null || before === undefined || !dates) return h('p', { class: 'change' }, word('not_compared'));
  const [now, then] = [written(column, value, say, about()), written(column, before, say, about())];
  const year = dates[0].slice(0, 4) === today().slice(0, 4) ? {} : { year: 'numeric' };
  const versus = h('span', { class: 'versus' }, ...marked(say.text('page', 'compared'), { previous: then, dates: say.range(dates, { day: 'numeric', month: 'short', ...year }) }));
  if (now === then) return h('p', { class: 'change' }, h('span', { class: 'step' }, word('unchanged')), versus);
  const isUp = value > before;
  const good = card.figure.good_when === 'neither' ? '' : (card.figure.good_when === 'higher') === isUp ? ' is-good' : ' is-bad';
  return h('p', { class: 'change' }, h('span', { class: `step${good}` },
    h('span', { 'aria-hidden': 'true' }, isUp ? '▲ ' : '▼ ', h('bdi', {}, difference(column, value - before, before))),
    h('span', { class: 'sr' }, word(isUp ? 'up' : 'down', { n: difference(column, value - before, before) }))), versus);
}

/** How far apart two values are, as exactly as they are written. */
function difference(column, value, previous) {
  const size = Math.abs(value);
  if (column.kind === 'money') return written(column, Math.abs(previous) >= 100 ? Math.round(size) : size, say, about(), Math.abs(previous) >= 100 ? 0 : 2);
  if (column.kind === 'number') return say.number(size, { maximumFractionDigits: size < 0.1 ? 2 : 1 });
  if (column.kind !== 'share') return written(column, size, say, about());
  const points = Number((size * 100).toFixed(1));
  return say.plain(say.text('page', 'points', points), { n: say.number(points) });
}

/** A line below a figure; none while a column in it is empty or 0. */
function note(card, key, row) {
  const names = [...(say.text('notes', key) ?? '').matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
  if (!names.length || names.some((name) => !row[name])) return null;
  const template = say.text('notes', key, Number(row[names[0]]));
  return h('li', {}, ...marked(template, Object.fromEntries(names.map((name) => [name, written(columnOf(card, name), row[name], say, about())]))));
}

// --- tables --------------------------------------------------------------------------------------------------------

/** What a column is called, on this card or anywhere. */
const nameOf = (card, column) => say.text('columns', `${card.name}.${column.name}`) ?? say.text('columns', column.name) ?? column.name;
const isNumeric = (column) => ['count', 'number', 'seconds', 'share', 'money'].includes(column.kind);

function table(card, rows, names, { limit = Infinity, isHidden = false } = {}) {
  const columns = names.map((name) => columnOf(card, name));
  const head = (column) => nameOf(card, column);
  const shown = rows.slice(0, limit);
  const linked = card.link && rows.some((row) => safeLink(row[card.link]));
  return h('div', { class: 'table-frame', tabindex: '0', role: 'region', 'aria-label': titleOf(card, rows[0]) },
    h('table', { role: 'table', class: isHidden || (columns.length <= 4 && !linked) ? 'plain' : '' }, // on a phone the others stand row below row
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map((column) => h('th', { role: 'columnheader', scope: 'col', class: isNumeric(column) ? 'is-number' : '' }, head(column))),
        linked && h('th', { role: 'columnheader', scope: 'col', class: 'is-number' }, h('span', { class: card.place.width > 14 ? null : 'sr' }, say.text('columns', card.link) ?? '')))),
      h('tbody', { role: 'rowgroup' }, shown.map((row) => h('tr', { role: 'row', ...(leads(card, row) ? { class: 'leads', onclick: () => openRows(card, row) } : {}) },
        columns.map((column, place) => h('td', { role: 'cell', 'data-label': head(column), class: isNumeric(column) ? 'is-number' : column.kind === 'instant' ? 'is-instant' : '' },
          place === 0 && leads(card, row) ? toRow(column, row) : h('bdi', { class: badge(column, row[column.name]) }, cell(column, row[column.name])))),
        linked && h('td', { role: 'cell', class: 'is-link' }, linkTo(row, card, columns[0])))))));
}

/** What a row is about, as a button; the click is the row's. */
function toRow(column, row) {
  const words = cell(column, row[column.name]);
  return h('button', { type: 'button', class: 'to-row', 'aria-haspopup': 'dialog', 'aria-label': `${words}. ${word('show_rows')}`, title: word('show_rows') }, h('bdi', {}, words), icon('into'));
}

const badge = (column, value) => (column.kind !== 'label' ? null
  : ['good', 'published', 'equal'].includes(value) ? 'step is-good' : ['attention', 'failed', 'different'].includes(value) ? 'step is-bad' : null);

function cell(column, value) {
  const customer = column.name === 'customer_label' && /^Customer (\w+)$/.exec(value ?? '');
  return customer ? word('customer', { id: customer[1] }) : written(column, value, say, about(), column.isExact ? 2 : undefined);
}

const safeLink = (address) => (/^https?:\/\//i.test(address ?? '') ? address : null);

function linkTo(row, card, column) {
  const address = safeLink(row[card.link]);
  if (!address) return '–';
  const words = say.text('page', 'open_chat');
  return h('a', { href: address, target: '_blank', rel: 'noopener noreferrer', 'aria-label': `${words}: ${cell(column, row[column.name])}`, title: words },
    card.place.width > 14 && words, icon('out'));
}

function drawTable(card, rows, node, start = ROWS_SHOWN) {
  if (!rows.length) return [empty(say.text('empty', card.name) ?? word('no_data'))];
  const names = card.shows.length ? card.shows : Object.keys(card.columns);
  const holder = h('div', { class: 'table-holder' });
  const fill = (limit) => {
    holder.replaceChildren(table(card, rows, names, { limit }));
    if (rows.length <= start) return;
    const isAll = limit >= rows.length;
    const next = isAll ? start : limit + ROWS_MORE;
    const words = isAll ? word('show_less') : word(next >= rows.length ? 'show_all' : 'show_more', { n: say.number(rows.length) });
    holder.append(h('button', { type: 'button', class: 'more', onclick: () => { fill(next); holder.querySelector('.more').focus(); } }, words));
  };
  fill(start);
  return [holder];
}

// --- charts --------------------------------------------------------------------------------------------------------

function drawChart(card, found, node) {
  const { chart } = card;
  const x = columnOf(card, chart.x);
  // an axis of hours has all of them
  const byHour = x.kind === 'hour' && card.display !== 'heat' && found.length > 0 && new Map(found.map((row) => [row[x.name], row]));
  const rows = byHour ? [...Array(24).keys()].map((hour) => byHour.get(hour) ?? { [x.name]: hour }) : found;
  const all = chart.y.map((name) => columnOf(card, name));
  const hasValue = (y) => rows.some((row) => row[y.name]);
  const ys = all.length > 1 ? all.filter(hasValue) : all;
  node.querySelector('.as-table')?.remove();
  if (!rows.length || !all.some(hasValue)) return [empty(say.text('empty', card.name) ?? word('no_data'))];

  const isNamed = card.display === 'bars' && ['text', 'label'].includes(x.kind);
  const words = (column, value) => `${nameOf(card, column)}: ${written(column, value, say, about())}`;
  const weekStart = Math.max(0, WEEKDAYS.indexOf(about().week_start));
  const todayPlace = x.kind === 'date' ? rows.findIndex((row) => row[x.name] === today()) : -1;
  const plot = h('div', { class: 'plot', tabindex: '0', role: 'img', 'aria-label': summary(card, rows, x, all.filter(hasValue)) });
  if (card.display === 'heat') plot.style.minHeight = `${Math.max(150, 40 + 20 * new Set(rows.map((row) => row[chart.rows])).size)}px`;
  const parts = [plot];
  if (ys.length > 1) parts.unshift(h('ul', { class: 'legend', 'aria-hidden': 'true' }, ys.map((y) => h('li', {}, card.display === 'lines' ? lineMark(all.indexOf(y) + 1) : h('span', { class: `swatch b${all.indexOf(y) + 1}` }), nameOf(card, y)))));
  if (card.display === 'heat') parts.push(heatLegend(all[0], rows));

  plot.draw = () => {
    const { clientWidth: width, clientHeight: height } = plot;
    if (!width || !height) return;
    if (isNamed) { plot.classList.add('is-named'); plot.replaceChildren(drawNamedBars({ rows, x, ys, isStacked: chart.is_stacked, say, about: about() })); return; }
    const drawing = card.display === 'heat'
      ? drawHeat({ dates: shownDates(), rows, x, down: columnOf(card, chart.rows), value: all[0], width, height, say, about: about(), weekStart,
        label: (downValue, acrossValue) => `${written(columnOf(card, chart.rows), downValue, say, about())}${x.kind === 'date' ? ',' : ''} ${written(x, acrossValue, say, about())}` })
      : drawPlot({ display: card.display, rows, x, ys, isStacked: chart.is_stacked, width, height, say, about: about(), partial: todayPlace,
        label: (row, index) => (x.kind === 'date' ? say.date(row[x.name], { weekday: 'long', day: 'numeric', month: 'long' }) : written(x, row[x.name], say, about())) + (index === todayPlace ? ` (${word('so_far')})` : '') });
    plot.replaceChildren(drawing.node);
    explore(plot, drawing, words, all, card);
  };
  new ResizeObserver(() => { if (plot.isConnected && plot.clientWidth) plot.draw(); }).observe(plot);
  node.querySelector('.card-head').append(tableSwitch(card, rows, node, x, all));
  return parts;
}

const lineMark = (number) => s('svg', { class: 'line-mark', width: 22, height: 8, 'aria-hidden': 'true' }, s('path', { class: `stroke s${number}`, d: 'M1,4H21' }));

function heatLegend(value, rows) {
  const highest = Math.max(...rows.map((row) => row[value.name] ?? 0));
  return h('p', { class: 'scale', 'aria-hidden': 'true' }, h('bdi', {}, written(value, 0, say, about())), ...[0, 25, 50, 75, 100].map((share) => h('span', { class: 'cell', style: `--share:${share}%` })), h('bdi', {}, written(value, highest, say, about())));
}

/** A chart in one line for those who do not see it. */
function summary(card, rows, x, ys) {
  const told = ys.map((y) => {
    const best = rows.reduce((most, row) => ((row[y.name] ?? -1) > (most?.[y.name] ?? -1) ? row : most), null);
    const where = [card.chart.rows, x.name].filter(Boolean).map((name) => written(columnOf(card, name), best[name], say, about())).join(' ');
    return `${nameOf(card, y)}: ${word('most')} ${written(y, best[y.name], say, about())} (${where})`;
  });
  return `${titleOf(card)}. ${told.join('. ')}`;
}

function tableSwitch(card, rows, node, x, ys) {
  const names = [...(card.chart.rows ? [card.chart.rows] : []), x.name, ...ys.map((y) => y.name)];
  const label = (isTable) => word(isTable ? 'show_chart' : 'show_table', { title: titleOf(card) });
  let isTable = false;
  const button = h('button', { type: 'button', class: 'quiet as-table', 'aria-pressed': 'false', 'aria-label': label(false), title: label(false) }, icon('table'));
  button.addEventListener('click', () => {
    isTable = !isTable;
    button.setAttribute('aria-pressed', String(isTable));
    button.replaceChildren(icon(isTable ? 'chart' : 'table'));
    button.setAttribute('aria-label', label(isTable));
    button.title = label(isTable);
    node.classList.toggle('shows-table', isTable);
    node.querySelector('.card-body .table-frame')?.remove();
    if (isTable) node.querySelector('.card-body').append(table(card, rows, names, { isHidden: true }));
    else node.querySelector('.plot').draw();
  });
  node.classList.remove('shows-table');
  return button;
}

/** Values under the pointer, or under the arrow keys; a click or Enter opens the rows behind them. */
function explore(plot, drawing, words, all, card) {
  let index = null;
  let isSure = true; // with a finger the first touch shows the values, the second opens the rows
  const leadsAt = (at) => at !== null && leads(card, drawing.points[at]?.row);
  const show = (next, isSpoken) => {
    index = next;
    drawing.highlight(next);
    const point = next === null ? null : drawing.points[next];
    if (!point || !point.values.length) { hideTip(); return; }
    const lines = point.values.filter(([, value]) => value !== null && value !== undefined).map(([column, value]) => [column, words(column, value)]);
    const box = plot.getBoundingClientRect();
    plot.classList.toggle('leads', leadsAt(next));
    showTip(point.title, leadsAt(next), lines.map(([column, text]) => [all.length > 1 ? `b${all.indexOf(column) + 1}` : '', text]), box.left + point.x, box.top + Math.max(0, point.y));
    if (isSpoken) byId('spoken').textContent = `${point.title}: ${lines.map(([, text]) => text).join(', ')}`;
  };
  plot.onpointermove = (event) => { const box = plot.getBoundingClientRect(); show(drawing.at(event.clientX - box.left, event.clientY - box.top), false); };
  plot.onpointerdown = (event) => {
    const before = byId('tip').hidden ? null : index;
    plot.onpointermove(event);
    isSure = event.pointerType !== 'touch' || before === index;
  };
  plot.onclick = () => { if (isSure && leadsAt(index)) openRows(card, drawing.points[index].row); };
  plot.onpointerleave = (event) => { if (event.pointerType !== 'touch') show(null, false); }; // a finger leaves by being lifted
  plot.onblur = () => show(null, false);
  plot.onkeydown = (event) => {
    const forward = say.isRightToLeft ? -1 : 1;
    const step = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: drawing.columns, ArrowUp: -drawing.columns }[event.key];
    if (event.key === 'Escape') { show(null, false); return; }
    if ((event.key === 'Enter' || event.key === ' ') && leadsAt(index)) { event.preventDefault(); openRows(card, drawing.points[index].row); return; }
    if (!step) return;
    event.preventDefault();
    const next = index === null ? (step > 0 ? 0 : drawing.points.length - 1) : index + step;
    if (next >= 0 && next < drawing.points.length) show(next, true);
  };
}

function showTip(title, isOpening, lines, x, y) {
  const tip = byId('tip');
  tip.replaceChildren(h('strong', {}, title), ...lines.map(([swatch, text]) => h('span', {}, swatch && h('span', { class: `swatch ${swatch}` }), text)), isOpening && h('em', {}, word('show_rows')) || '');
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(innerWidth - box.width - 8, x - box.width / 2))}px`;
  tip.style.top = `${y - box.height - 12 < 8 ? y + 24 : y - box.height - 12}px`;
}

const hideTip = () => { const tip = byId('tip'); if (tip) tip.hidden = true; };

// --- start ---------------------------------------------------------------------------------------------------------

async function unpacked(id) {
  const node = byId(id);
  const text = atob(node.textContent.trim());
  node.remove();
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer());
}

async function start() {
  let theme = null;
  try { theme = localStorage.getItem('salwa-theme'); } catch { /* a browser that keeps nothing */ }
  if (theme) document.documentElement.dataset.theme = theme;
  state = readState();
  try {
    const [wasmBinary, file] = await Promise.all([unpacked('salwa-wasm'), unpacked('salwa-database')]);
    const SQL = await initSqlJs({ wasmBinary });
    database = new SQL.Database(file);
  } catch (error) {
    console.error(error);
    byId('loading').textContent = content.catalogues[state.lang].page.not_opened;
    return;
  }
  renderAll();
  addEventListener('hashchange', () => { state = readState(); renderAll(); });
  addEventListener('scroll', () => { hideTip(); document.querySelector('.about:popover-open')?.hidePopover(); }, { passive: true });
  addEventListener('beforeprint', () => document.querySelectorAll('.plot').forEach((plot) => plot.draw?.()));
}

// for tests and for the curious: what a card answers, and the SQL it ran
window.salwa = Object.freeze({
  filled: (name, chosen) => filled(content.cards[name], chosen, content.filters),
  rows: (name) => answer(name),
  behind: (name, row) => behind(tabNow().cards.find((card) => card.name === name), row).rows,
  previousDates, presetDates,
});
start();
