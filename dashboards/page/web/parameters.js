// Fills a card's SQL as dashboards/parameters.py does; a test holds the two to the same text.
const PARAMETER = /\{\{\s*(\w+)\s*\}\}/g;
const OPTIONAL = /\[\[(.*?)\]\]/gs;

const filtersOf = (sql) => [...new Set([...sql.matchAll(PARAMETER)].map((found) => found[1]))];
const isChosen = (value) => Array.isArray(value) && value.length > 0;

/** {sql, values}: values by their names in the SQL. `chosen`: by filter {date: [from, to]} or {tag: [text, ...]}. */
function filled(sql, chosen, filters) {
  const values = {};
  const conditions = {};
  const kept = sql.replace(OPTIONAL, (_, part) => (filtersOf(part).every((name) => isChosen(chosen[name])) ? part : ''));
  for (const name of filtersOf(kept)) conditions[name] = conditionOf(filters[name], chosen[name], values);
  return { sql: kept.replace(PARAMETER, (_, name) => conditions[name]), values };
}

function conditionOf(filter, value, values) {
  if (!isChosen(value)) return '1 = 1';
  if (filter.kind === 'date') {
    values[`$${filter.name}_from`] = value[0];
    values[`$${filter.name}_to`] = value[1];
    return `${filter.column} between $${filter.name}_from and $${filter.name}_to`;
  }
  const names = value.map((text, number) => {
    values[`$${filter.name}_${number}`] = text;
    return `$${filter.name}_${number}`;
  });
  return `${filter.column} in (${names.join(', ')})`;
}

/** All rows of one query, as objects. */
function rowsOf(database, sql, values) {
  const statement = database.prepare(sql);
  try {
    const named = Object.fromEntries(Object.entries(values).filter(([name]) => sql.includes(name)));
    statement.bind(named);
    const rows = [];
    while (statement.step()) rows.push(statement.getAsObject());
    return rows;
  } finally {
    statement.free();
  }
}

// Dates are ISO text all through, days are counted in UTC: no reader's clock or zone is asked.
const DAY = 86400000;
const moved = (date, days) => new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);
const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY);
const firstOfMonth = (date) => `${date.slice(0, 8)}01`;

/** [from, to], both included, of a preset seen from the data's today. */
function presetDates(preset, today) {
  const month = firstOfMonth(today);
  return {
    today: [today, today],
    yesterday: [moved(today, -1), moved(today, -1)],
    // whole days, as Metabase's "previous 7 days"
    last_7_days: [moved(today, -7), moved(today, -1)],
    last_30_days: [moved(today, -30), moved(today, -1)],
    this_month: [month, today],
    last_month: [firstOfMonth(moved(month, -1)), moved(month, -1)],
  }[preset];
}

/** The dates that cards/figures.sql compares with: this month with the same days of last month, else as many days before. */
function previousDates([from, to], today) {
  const last = to > today ? today : to;
  if (last < from) return null;
  if (last === today && from === firstOfMonth(today)) {
    const end = moved(from, -1);
    const sameDay = end.slice(0, 8) + today.slice(8);
    return [firstOfMonth(end), sameDay < end ? sameDay : end];
  }
  return [moved(from, -daysBetween(from, last) - 1), moved(from, -1)];
}
