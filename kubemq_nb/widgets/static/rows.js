// The rows of a live table: numbered by the kernel, followed at the end or kept in their place.

const STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
const SEARCHING = { head: "None of the rows shown matches", rest: "All rows held are looked through.", act: "filter" };
const OPERATORS = /[<>=!()[\]{}"']|\b(?:and|or|not|in|is)\b/; // in a condition, which only the kernel reads

function buildRows(view, about) {
  Object.assign(view, { entries: new Map(), spare: [], marks: new Map(), columns: "", newest: null, current: null });
  view.thead = el("thead");
  view.tbody = el("tbody");
  const table = el("table", { class: "kq-table", role: "grid", "aria-label": about.label }, view.thead, view.tbody);
  view.scroll = el("div", { class: "kq-scroll tall", role: "region", "aria-label": `Rows of ${about.channel}`, onscroll: () => onScroll(view) }, table);
  view.empty = el("div", { class: "kq-empty" });
  view.tbody.addEventListener("click", (event) => onClick(view, event));
  return el("div", {}, view.scroll, view.empty);
}

// ---------------------------------------------------------------- what a person does

function follow(view, on) {
  view.follow.checked = on;
  if (on) toEnd(view);
  view.send("follow", { on, turn: view.hand.sign() });
  view.followed = view.hand.turns;
}

function onScroll(view) {
  const { scrollTop, scrollHeight, clientHeight } = view.scroll;
  if (Math.abs(scrollTop - view.scrolledTo) < 2) return; // our own doing
  view.scrolledTo = scrollTop;
  const atEnd = scrollHeight - clientHeight - scrollTop < 4;
  if (atEnd !== view.follow.checked) follow(view, atEnd);
}

function onClick(view, event) {
  const row = event.target.closest("tr[data-number]");
  if (!row || !getSelection().isCollapsed) return; // text was selected, not a row
  setCurrent(view, Number(row.dataset.number), { focus: true });
  open(view, view.current);
}

function step(view, by) {
  const numbers = [...view.entries.keys()];
  const place = Math.min(Math.max(numbers.indexOf(view.current) + by, 0), numbers.length - 1);
  const last = place === numbers.length - 1;
  if (last !== view.follow.checked) follow(view, last);
  setCurrent(view, numbers[place], { focus: true });
  view.entries.get(numbers[place]).node.scrollIntoView({ block: "nearest" });
  view.scrolledTo = view.scroll.scrollTop;
}

// ---------------------------------------------------------------- what the kernel says

function paintTable(view, table) {
  const rows = matching(view, table);
  show(view.scroll, rows.length > 0);
  show(view.empty, rows.length === 0);
  if (!rows.length) paintEmpty(view, table.rows.length ? SEARCHING : table.empty);
  paintHead(view, table.columns);
  const anchor = view.follow.checked ? null : topRow(view);
  paintRows(view, table, rows);
  if (anchor) keepInPlace(view, anchor);
  else if (view.follow.checked) toEnd(view);
}

// The kernel searches everything held; until its answer is here, the rows at hand are searched.
function matching(view, table) {
  const wanted = view.search.node.value.trim();
  if (wanted === table.text || OPERATORS.test(wanted)) return table.rows;
  const text = wanted.toLowerCase();
  return table.rows.filter((row) => row.cells.flat(2).join(" ").toLowerCase().includes(text));
}

function paintEmpty(view, empty) {
  const key = JSON.stringify(empty);
  if (view.emptied === key) return;
  view.emptied = key;
  const { head: headline, rest, code, act } = empty;
  view.empty.replaceChildren(icon(view.model.get("about").icon), el("h4", {}, headline), el("p", {}, rest, ...(code ? [" ", el("code", {}, code)] : [])),
    ...(act ? [firstStep(view, act)] : []));
}

function firstStep(view, act) {
  const asks = ["commands", "queries"].includes(view.model.get("about").icon);
  return button({
    replay: { name: "Replay from first", glyph: "first", title: "Read what is stored, from the first event on", act: () => view.send("restart", { choice: "first", text: "" }) },
    form: { name: asks ? "Ask…" : "Send…", glyph: "send", title: "Send to this channel", act: () => view.send("form") },
    filter: { name: "Empty the filter", glyph: "clear", title: "Show all rows held (Esc in the filter)", act: () => { view.search.clear(); view.search.node.focus(); } },
  }[act]);
}

function paintHead(view, columns) {
  const key = JSON.stringify(columns);
  if (view.columns === key) return;
  view.columns = key;
  view.entries.clear();
  view.marks.clear();
  view.spare = [];
  view.tbody.replaceChildren();
  const names = el("tr", {}, ...columns.map((column) => heading(view, column)));
  view.thead.replaceChildren(...(columns.some((column) => column.group) ? [groupRow(columns)] : []), names);
}

function groupRow(columns) {
  const cells = [];
  columns.forEach((column, place) => {
    if (!column.group) cells.push(el("td", { class: widthOf(column) }));
    else if (columns[place - 1]?.group === column.group) cells.at(-1).colSpan += 1;
    else cells.push(el("th", { scope: "colgroup", colspan: 1 }, el("span", {}, column.group)));
  });
  return el("tr", { class: "group" }, ...cells);
}

function heading(view, column) {
  const node = el("th", { scope: "col", class: headingClass(column) });
  if (column.kind !== "age") node.append(column.label);
  else node.append(el("button", { type: "button", class: "kq-sort", title: "Show clock time or age", onclick: () => { view.clock = !view.clock; paintAges(view); } }, column.label));
  return node;
}

function paintRows(view, table, rows) {
  const focused = view.tbody.contains(document.activeElement);
  const before = view.newest ?? Infinity; // nothing is new in the first picture
  recycle(view, new Set(rows.map((row) => row.number)));
  let place = view.tbody.firstChild;
  for (const node of nodesOf(view, table, rows)) {
    if (node === place) place = place.nextSibling;
    else view.tbody.insertBefore(node, place);
  }
  for (const [number, entry] of view.entries) markNew(entry, number > before);
  view.newest = Math.max(view.newest ?? 0, ...rows.map((row) => row.number));
  const kept = view.entries.has(view.current) && !view.follow.checked;
  setCurrent(view, kept ? view.current : rows.at(view.follow.checked ? -1 : 0)?.number ?? null, { focus: focused });
  paintOpen(view);
}

// Rows that left lend their elements to rows that come.
function recycle(view, numbers) {
  for (const [number, entry] of view.entries) {
    if (numbers.has(number)) continue;
    entry.node.remove();
    view.entries.delete(number);
    view.spare.push(entry);
  }
}

function* nodesOf(view, table, rows) {
  const entries = new Map();
  let marks = table.marks.filter(([after]) => after >= (rows[0]?.number ?? Infinity) - 1);
  for (const row of rows) {
    while (marks.length && marks[0][0] < row.number) yield markRow(view, marks.shift(), table.columns.length);
    const entry = view.entries.get(row.number) ?? view.spare.pop() ?? blankRow(table.columns);
    fill(view, entry, table.columns, row);
    entries.set(row.number, entry);
    yield entry.node;
  }
  for (const mark of marks) yield markRow(view, mark, table.columns.length);
  view.entries = entries;
  view.spare.length = Math.min(view.spare.length, rows.length);
}

function markRow(view, [after, text], width) {
  if (!view.marks.has(after)) view.marks.set(after, el("tr", { class: "mark" }, el("td", { colspan: width }, icon("plug"), text)));
  return view.marks.get(after);
}

function blankRow(columns) {
  const cells = blankCells(columns);
  return { node: el("tr", { tabindex: -1 }, ...cells), cells, key: "" };
}

function fill(view, entry, columns, row) {
  const key = JSON.stringify(row);
  if (entry.key === key) return;
  entry.key = key;
  entry.time = row.time;
  entry.node.dataset.number = row.number;
  columns.forEach(({ kind }, place) => kind !== "age" && fillCell(entry.cells[place], kind, row.cells[place]));
  entry.age = entry.cells[columns.findIndex((column) => column.kind === "age")];
  paintAge(view, entry);
}

function paintAge(view, { age: cell, time }) {
  if (!cell) return;
  write(cell, time === null ? "none" : view.clock ? utc(time).slice(11, 23) : age(time));
  if (time !== null) cell.title = utc(time);
}

function paintAges(view) {
  for (const entry of view.entries.values()) paintAge(view, entry);
}

function markNew({ node }, isNew) {
  if (node.classList.contains("new") === isNew) return;
  node.classList.toggle("new", isNew);
  if (isNew) node.firstChild.prepend(el("span", { class: "sr" }, "new, "));
  else node.firstChild.querySelector(".sr")?.remove();
}

// The table is one tab stop: the current row.
function setCurrent(view, number, { focus }) {
  view.entries.get(view.current)?.node.setAttribute("tabindex", "-1");
  view.current = number;
  const node = view.entries.get(number)?.node;
  node?.setAttribute("tabindex", "0");
  if (focus) node?.focus({ preventScroll: true });
}

function topRow({ entries, scroll }) {
  for (const [number, { node }] of entries) {
    if (node.offsetTop + node.offsetHeight > scroll.scrollTop) return { number, offset: node.offsetTop - scroll.scrollTop };
  }
  return null;
}

function keepInPlace(view, { number, offset }) {
  const entry = view.entries.get(number);
  if (entry) view.scroll.scrollTop = entry.node.offsetTop - offset;
  view.scrolledTo = view.scroll.scrollTop;
}

function toEnd(view) {
  view.scroll.scrollTop = view.scroll.scrollHeight;
  view.scrolledTo = view.scroll.scrollTop;
}

function paintOpen(view) {
  const number = view.model.get("detail").number;
  for (const [each, { node }] of view.entries) node.setAttribute("aria-selected", String(each === number));
}
