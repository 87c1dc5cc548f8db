// Numbers, dates and sentences in the reader's language.
const LOCALES = { en: 'en-GB', fr: 'fr-FR', ar: 'ar-SA-u-ca-gregory' };
const isolated = (text) => `\u2068${text}\u2069`;

function speaker(language, catalogue, digits) {
  const locale = language === 'ar' ? `${LOCALES.ar}-nu-${digits === 'arabic' ? 'arab' : 'latn'}` : LOCALES[language];
  const plurals = new Intl.PluralRules(language);
  const cache = new Map();
  const made = (make, options) => {
    const key = make.name + JSON.stringify(options);
    if (!cache.has(key)) cache.set(key, new make(locale, options));
    return cache.get(key);
  };
  // Arabic with Latin digits has the percent sign of these, as in the shop's own pages
  const sign = language === 'ar' && digits !== 'arabic' ? (text) => text.replace(/\u066a\u061c?/g, '%') : (text) => text;
  const number = (value, options = {}) => sign(made(Intl.NumberFormat, options).format(value));
  const dateFormat = (options) => made(Intl.DateTimeFormat, { timeZone: 'UTC', ...options });
  const day = (date) => Date.parse(`${date.slice(0, 10)}T00:00:00Z`);

  /** A text of the catalogue; with a number its plural form, where it has forms. */
  function text(group, key, count) {
    const words = catalogue[group] ?? {};
    const form = count === undefined ? undefined : words[`${key}.${plurals.select(count)}`];
    return form ?? words[key] ?? words[`${key}.other`];
  }

  /** A template's pieces: {text} and {name, value}; parts that stand apart from the direction of the text. */
  function pieces(template, values) {
    return template.split(/(\{\w+\})/).filter(Boolean).map((piece) =>
      piece[0] === '{' ? { name: piece.slice(1, -1), value: values[piece.slice(1, -1)] ?? '' } : { text: piece });
  }
  const plain = (template, values = {}) =>
    pieces(template, values).map((piece) => ('text' in piece ? piece.text : isolated(piece.value))).join('');

  const unit = (name, count) => plain(text('durations', name, count), { n: number(count) }).replace(/[\u2068\u2069]/g, '');

  /** Seconds as orchestration/console.py writes them: the largest unit, and the next if it is not 0. */
  function duration(seconds) {
    const whole = halfEven(Math.abs(seconds));
    if (whole < 60) return unit('seconds', whole);
    const minutes = halfEven(whole / 60);
    if (minutes < 60) return unit('minutes', minutes);
    const hours = Math.floor(minutes / 60);
    const parts = hours < 48
      ? [unit('hours', hours), minutes % 60 && unit('minutes', minutes % 60)]
      : [unit('days', Math.floor(hours / 24)), hours % 24 && unit('hours', hours % 24)];
    if (!parts[1]) return parts[0];
    return text('durations', 'joined').replace('{large}', parts[0]).replace('{small}', parts[1]);
  }

  /** A number of days; as a duration where they are not whole. */
  const days = (count) => (Number.isInteger(count) ? unit('days', count) : duration(count * 86400));

  /** The same on an axis, as short as the language has it. */
  function shortDuration(seconds) {
    const [size, name] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']].find(([each]) => seconds >= each) ?? [1, 'second'];
    return number(seconds / size, { style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: 1 });
  }

  const hourInstant = (hour) => Date.UTC(2026, 0, 5, hour);
  const hour12 = language !== 'fr';
  const hourWords = (hour) => (hour12 ? dateFormat({ hour: 'numeric', hour12 }).format(hourInstant(hour)) : `${number(hour)} h`);

  return {
    language, locale, text, pieces, plain, number, duration, days, shortDuration,
    isRightToLeft: language === 'ar',
    date: (date, options = { day: 'numeric', month: 'short', year: 'numeric' }) => dateFormat(options).format(day(date)),
    dateParts: (date) => Object.fromEntries(dateFormat({ day: 'numeric', month: 'short' }).formatToParts(day(date)).map((part) => [part.type, part.value])),
    range: ([from, to], options = { day: 'numeric', month: 'long', year: 'numeric' }) => dateFormat(options).formatRange(day(from), day(to)),
    instant: (seconds, timeZone, options) =>
      made(Intl.DateTimeFormat, { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit', hour12, timeZone, ...options }).format(seconds * 1000),
    hour: hourWords,
    // French leaves the unit out of a span, and a span over midnight would name its dates
    hourSpan: (hour) => (hour12 && hour < 23 ? dateFormat({ hour: 'numeric', hour12 }).formatRange(hourInstant(hour), hourInstant(hour + 1)) : `${hourWords(hour)}–${hourWords((hour + 1) % 24)}`),
    list: (items) => made(Intl.ListFormat, { type: 'conjunction' }).format(items),
  };
}

function halfEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}

/** A value of a card as its column's kind reads; null as a dash. `about` says {timezone, currency}. */
function written(column, value, say, about, places = Math.abs(value) < 100 ? 2 : 0) {
  if (value === null || value === undefined || value === '') return '–';
  switch (column.kind) {
    case 'count': return say.number(value, { maximumFractionDigits: 0 });
    case 'number': return say.number(value, { maximumFractionDigits: Math.abs(value) < 1 ? 2 : 1 });
    case 'share': return say.number(value, { style: 'percent', maximumFractionDigits: 1 });
    case 'money': return say.number(value, { style: 'currency', currency: about.currency, currencyDisplay: say.language === 'ar' ? 'symbol' : 'code', minimumFractionDigits: Number.isInteger(value) ? 0 : places, maximumFractionDigits: places });
    case 'seconds': return say.duration(value);
    case 'date': return say.date(value);
    case 'hour': return say.hourSpan(value);
    case 'weekday': return say.text('weekdays', String(value)) ?? String(value);
    case 'instant': return say.instant(value, about.timezone);
    case 'label': return say.text(column.labels, String(value)) ?? String(value);
    case 'flag': return value ? '✓' : '–';
    default: return String(value);
  }
}

/** The same on an axis. */
function writtenShort(column, value, say, about) {
  if (!value) return say.number(0);
  if (column.kind === 'seconds') return say.shortDuration(value);
  if (column.kind === 'share') return say.number(value, { style: 'percent', maximumFractionDigits: 0 });
  if (column.kind === 'money') return say.number(value, { notation: 'compact', maximumFractionDigits: 1 });
  return say.number(value, { notation: value >= 10000 ? 'compact' : 'standard', maximumFractionDigits: 2 });
}
