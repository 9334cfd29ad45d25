// The live table of a feed, and the log of a responder: a view over traits that the kernel writes.
// Buttons and keys send one word each; what they do shows when the traits come back.

const FIGURES = new Set(["number", "figure", "age", "size"]);
const STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
const TYPING_PAUSE = 120; // ms after the last letter, before the kernel searches all that is held
const SPOKEN_EVERY = 5000; // ms between two readings of the counts to a screen reader
const STARTS = [["new", "New"], ["first", "First"], ["last", "Last"], ["sequence", "Sequence"], ["time", "Time"], ["ago", "Ago"]];
const EXAMPLES = { sequence: "1200", time: "2013-01-31 23:59", ago: "10m" };
const OPERATORS = /[<>=!()[\]{}"']|\b(?:and|or|not|in|is)\b/; // in a condition, which only the kernel reads

function build(model) {
  const view = { model, entries: new Map(), spare: [], marks: new Map(), columns: "", newest: null, current: null };
  view.send = (what, more = {}) => { if (!view.gone) model.send({ do: what, ...more }); };
  const about = model.get("about");
  buildControls(view);
  view.status = buildStatus();
  view.notes = el("div");
  view.unseen = el("div");
  view.detail = el("div");
  view.foot = foot();
  view.body = buildBody(view, about);
  view.spoken = el("div", { class: "sr", role: "status" });
  view.root = el("section", { class: "kq", "aria-label": about.label },
    head(about, [view.retry, view.again, view.pause, view.stop, view.clear, view.frame]),
    view.status.node, view.notes, view.bar, view.body, view.unseen, view.detail, view.foot.node, view.spoken);
  return view;
}

function buildControls(view) {
  view.pause = button({ name: "Pause", glyph: "pause", title: "Pause (P)", act: () => togglePause(view) });
  view.stop = button({ name: "Stop", glyph: "stop", title: "Stop and release the subscription (S)", act: () => view.send("stop") });
  view.clear = button({ name: "Clear", glyph: "clear", title: "Clear what is held here; the channel is untouched (C)", look: "quiet", act: () => view.send("clear") });
  view.frame = button({ name: "To DataFrame", glyph: "frame", title: "Put the held rows in a variable (D)", look: "quiet", act: () => view.send("frame") });
  view.retry = button({ name: "Try again", glyph: "redo", title: "Connect again", look: "primary", act: () => view.send("retry") });
  view.again = button({ name: "Start again", glyph: "redo", title: "Begin again where Start says", act: () => restart(view) });
  view.find = el("input", { class: "kq-input", type: "search", placeholder: "Filter held rows", oninput: () => search(view) });
  view.wrong = el("p", { class: "kq-hint bad", role: "alert", id: uniqueId(), hidden: true });
  view.start = startPicker(view);
  view.follow = el("input", { type: "checkbox", onchange: () => follow(view, view.follow.checked) });
  view.bar = el("div", { class: "kq-bar" }, ...(view.start ? [view.start.node] : []),
    el("label", { class: "kq-find" }, icon("search"), el("span", { class: "sr" }, "Filter held rows"), view.find),
    el("label", { class: "kq-check" }, view.follow, "Follow tail"), view.wrong);
}

// Where to begin: six choices, three of them with a field. Nothing changes before Start again.
function startPicker(view) {
  if (!view.model.get("choices").began) return null;
  const group = uniqueId();
  const radios = STARTS.map(([value]) => el("input", { type: "radio", name: group, value, onchange: () => pick(view) }));
  const labels = STARTS.map(([, word], place) => el("label", {}, radios[place], word));
  const field = el("input", { class: "kq-input", "aria-label": "Start value", oninput: () => pick(view) });
  const node = el("fieldset", { class: "kq-start" }, el("legend", { class: "sr" }, "Start position"),
    el("span", { class: "kq-label", "aria-hidden": "true" }, "Start"), el("div", { class: "kq-seg six" }, ...labels), field);
  return { node, radios, field };
}

function picked({ radios, field }) {
  return { choice: radios.find((radio) => radio.checked).value, text: field.hidden ? "" : field.value };
}

function pick(view) {
  showField(view.start.field, picked(view.start).choice);
  clearTimeout(view.picking);
  view.chosen = { at: Date.now() };
  view.picking = setTimeout(() => sendStart(view, "start"), TYPING_PAUSE);
}

// Until the kernel says the same, the picker stays as the hand left it.
function sendStart(view, what) {
  view.chosen = { ...picked(view.start), at: Date.now() };
  view.send(what, picked(view.start));
}

function isUnsaid(view, { start, text }) {
  const { chosen } = view;
  if (!chosen || Date.now() - chosen.at > 2000) return false;
  return chosen.choice !== start || chosen.text !== text;
}

function restart(view) {
  clearTimeout(view.picking);
  if (view.start) sendStart(view, "restart");
  else view.send("restart");
}

function showField(field, choice) {
  show(field, choice in EXAMPLES);
  field.placeholder = EXAMPLES[choice] ?? "";
  field.title = { sequence: "A sequence", time: "A time in UTC", ago: "A span such as 30s, 10m or 2h" }[choice] ?? "";
  field.classList.toggle("num", choice === "sequence");
  field.style.width = choice === "time" ? "176px" : "80px";
}

function buildStatus() {
  const parts = { state: el("span", { role: "status" }), counts: el("dl", { class: "kq-counts" }), spark: spark(), ended: el("span", { class: "kq-rate kq-kind" }) };
  parts.figure = el("b");
  parts.unit = el("span", { class: "dim" });
  parts.rate = el("span", { class: "kq-rate" }, parts.spark.node, el("span", {}, parts.figure, " ", parts.unit));
  parts.node = el("div", { class: "kq-status" }, parts.state, parts.counts, parts.rate, parts.ended);
  return parts;
}

function buildBody(view, about) {
  view.thead = el("thead");
  view.tbody = el("tbody");
  const table = el("table", { class: "kq-table", role: "grid", "aria-label": about.label }, view.thead, view.tbody);
  view.scroll = el("div", { class: "kq-scroll tall", role: "region", "aria-label": `Rows of ${about.channel}`, onscroll: () => onScroll(view) }, table);
  view.empty = el("div", { class: "kq-empty" });
  view.tbody.addEventListener("click", (event) => onClick(view, event));
  return el("div", {}, view.scroll, view.empty);
}

// ---------------------------------------------------------------- what a person does

function togglePause(view) {
  view.send(view.model.get("status").state === "paused" ? "resume" : "pause");
}

function search(view) {
  clearTimeout(view.typing);
  view.typing = setTimeout(() => view.send("filter", { text: view.find.value.trim() }), TYPING_PAUSE);
  view.paint(); // what is here is narrowed at once, also while the kernel is busy
}

function follow(view, on) {
  view.follow.checked = on;
  if (on) toEnd(view);
  view.send("follow", { on });
}

function onScroll(view) {
  const { scrollTop, scrollHeight, clientHeight } = view.scroll;
  if (Math.abs(scrollTop - view.scrolledTo) < 2) return; // our own doing
  view.scrolledTo = scrollTop;
  const atEnd = scrollHeight - clientHeight - scrollTop < 4;
  if (atEnd !== view.follow.checked) follow(view, atEnd);
}

function onClick(view, event) {
  const number = numberOf(event.target);
  if (number === null || !getSelection().isCollapsed) return; // text was selected, not a row
  setCurrent(view, number, { focus: true });
  open(view, number);
}

function open(view, number) {
  view.send("open", { number: view.model.get("detail").number === number ? null : number });
}

// Lab listens for its shortcuts in the capture phase of the document, so a key of ours must be taken before that.
function onKey(view, event) {
  if (!view.root.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (view.start?.node.contains(event.target)) return void startKey(view, event);
  const taken = event.target === view.find ? findKey(view, event) : tableKey(view, event) || letterKey(view, event);
  if (!taken) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function findKey(view, event) {
  if (event.key !== "Escape") return false;
  view.find.value = "";
  search(view);
  return true;
}

// Fields and radios have their own keys, and Lab must not hear letters that are typed here.
function startKey(view, event) {
  event.stopImmediatePropagation();
  if (event.key === "Enter") view.again.click();
}

function tableKey(view, event) {
  if (event.key === "Escape" && given(view.model.get("detail"))) return closeDetail(view);
  if (!view.tbody.contains(event.target)) return false;
  if (event.key === "Enter") open(view, view.current);
  else if (event.key in STEPS) step(view, STEPS[event.key]);
  else return false;
  return true;
}

function letterKey(view, event) {
  const act = { p: () => view.pause.click(), s: () => view.stop.click(), c: () => view.clear.click(), d: () => view.frame.click(),
    f: () => follow(view, !view.follow.checked), "/": () => view.find.focus() }[event.key.toLowerCase()];
  if (!act || event.shiftKey) return false;
  act();
  return true;
}

function closeDetail(view) {
  view.send("open", { number: null });
  setCurrent(view, view.current, { focus: true });
  return true;
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

function numberOf(target) {
  const row = target.closest("tr[data-number]");
  return row ? Number(row.dataset.number) : null;
}

// ---------------------------------------------------------------- what the kernel says

function given(trait) {
  return Object.keys(trait).length ? trait : null;
}

function paint(view) {
  const { model } = view;
  if (view.gone) return;
  paintStatus(view, model.get("status"));
  paintNotes(view, model.get("status"), given(model.get("said")));
  paintChoices(view, model.get("choices"));
  paintTable(view, model.get("table"));
  paintUnseen(view, model.get("status"));
  paintDetail(view, model.get("detail"));
  write(view.foot.code, model.get("foot").code);
  view.foot.code.title = model.get("foot").code;
  write(view.foot.held, model.get("foot").held);
}

function paintStatus(view, status) {
  const parts = view.status;
  if (parts.shown !== status.word) {
    parts.state.className = `kq-state ${status.tone}`;
    parts.state.replaceChildren(icon(status.icon), status.word);
    parts.shown = status.word;
  }
  counts(parts.counts, status.counts);
  drawSpark(parts.spark, status.rates);
  write(parts.figure, status.rate);
  write(parts.unit, status.unit);
  paintButtons(view, status.state);
  paintEnded(view);
}

function paintEnded({ model, status: { rate, ended } }) {
  const { state, changed } = model.get("status");
  show(rate, state !== "stopped");
  show(ended, state === "stopped");
  if (state !== "stopped") return;
  const ago = age(changed);
  write(ended, `stopped ${ago === "now" ? "just now" : `${ago} ago`}, ran ${span((changed - model.get("about").since) / 1000).replace("now", "less than 1 s")}`);
  ended.title = utc(changed);
}

function paintButtons(view, state) {
  rename(view.pause, state === "paused"
    ? { name: "Resume", glyph: "play", title: "Resume (P)", look: "primary" }
    : { name: "Pause", glyph: "pause", title: "Pause (P)" });
  const stopped = state === "stopped";
  const lost = stopped && [view.pause, view.stop].includes(document.activeElement);
  const { began, start, text } = view.model.get("choices");
  const other = began && (began[0] !== start || began[1] !== text);
  show(view.pause, !stopped && state !== "not connected");
  show(view.stop, !stopped);
  show(view.retry, state === "not connected");
  show(view.again, view.model.get("about").restarts && (stopped || Boolean(other)));
  view.again.className = `kq-btn ${stopped ? "primary" : ""}`;
  if (lost) (view.again.hidden ? view.clear : view.again).focus();
}

function paintNotes(view, { note: trouble, state }, said) {
  const key = JSON.stringify([trouble, state, said]);
  if (view.noted === key) return;
  view.noted = key;
  const notes = [];
  const tryNow = () => button({ name: "Try now", glyph: "redo", title: "Connect now, without the pause between attempts", act: () => view.send("retry") });
  if (trouble) notes.push(note(trouble, ...(state === "reconnecting" ? [tryNow()] : [])));
  if (said) notes.push(note(said, button({ name: "Close", title: "Close", glyph: "close", look: "icon quiet", bare: true, act: () => view.send("dismiss") })));
  view.notes.replaceChildren(...notes);
}

function paintChoices(view, choices) {
  if (document.activeElement !== view.find) view.find.value = choices.filter; // never under a hand that types
  view.follow.checked = choices.follow;
  if (view.start && !isUnsaid(view, choices)) paintStart(view.start, choices);
  const wrong = choices.wrong_filter || choices.wrong_start || "";
  write(view.wrong, wrong);
  show(view.wrong, Boolean(wrong));
  invalid(view.find, choices.wrong_filter, view.wrong.id);
  if (view.start) invalid(view.start.field, choices.wrong_start, view.wrong.id);
}

function paintStart({ radios, field }, { start, text }) {
  for (const radio of radios) radio.checked = radio.value === start;
  if (document.activeElement !== field) field.value = text;
  showField(field, start);
}

function invalid(field, wrong, id) {
  for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", id]]) {
    if (wrong) field.setAttribute(name, value);
    else field.removeAttribute(name);
  }
}

function paintUnseen(view, { unseen, state }) {
  if (view.unseenText === unseen) return;
  view.unseenText = unseen;
  const act = button({ name: state === "paused" ? "Resume and show" : "Show", title: "Show what came meanwhile", glyph: "follow", act: () => view.send("resume") });
  view.unseen.replaceChildren(...(unseen ? [note({ icon: "hold", head: unseen }, act)] : []));
}

// ---------------------------------------------------------------- rows

function paintTable(view, table) {
  const rows = matching(view, table);
  show(view.scroll, rows.length > 0);
  show(view.empty, rows.length === 0);
  if (!rows.length) paintEmpty(view, table.empty);
  paintHead(view, table.columns);
  const anchor = view.follow.checked ? null : topRow(view);
  paintRows(view, table, rows);
  if (anchor) keepInPlace(view, anchor);
  else if (view.follow.checked) toEnd(view);
}

// The kernel searches everything held; until its answer is here, the rows at hand are searched.
function matching(view, table) {
  const wanted = view.find.value.trim();
  if (wanted === table.text || OPERATORS.test(wanted)) return table.rows;
  const text = wanted.toLowerCase();
  return table.rows.filter((row) => row.cells.flat(2).join(" ").toLowerCase().includes(text));
}

function paintEmpty(view, { head: headline, rest, code }) {
  const key = headline + rest;
  if (view.emptied === key) return;
  view.emptied = key;
  view.empty.replaceChildren(icon(view.model.get("about").icon), el("h4", {}, headline), el("p", {}, rest, ...(code ? [" ", el("code", {}, code)] : [])));
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
  const node = el("th", { scope: "col", class: `${FIGURES.has(column.kind) ? "num" : ""} ${widthOf(column)}` });
  if (column.kind !== "age") node.append(column.label);
  else node.append(el("button", { type: "button", class: "kq-sort", title: "Show clock time or age", onclick: () => { view.clock = !view.clock; paintAges(view); } }, column.label));
  return node;
}

function widthOf(column) {
  return column.width ? `kq-p${column.width}` : "";
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
  const cells = columns.map((column) => el("td", { class: `${cellClass(column.kind)} ${widthOf(column)}` }));
  return { node: el("tr", { tabindex: -1 }, ...cells), cells, key: "" };
}

function cellClass(kind) {
  return { number: "num", figure: "num", size: "num dim", age: "num dim", rest: "rest", body: "rest body", id: "id", mono: "mono", text: "field" }[kind] ?? "";
}

function fill(view, entry, columns, row) {
  const key = JSON.stringify(row);
  if (entry.key === key) return;
  entry.key = key;
  entry.time = row.time;
  entry.node.dataset.number = row.number;
  columns.forEach((column, place) => fillCell(entry.cells[place], column.kind, row.cells[place]));
  entry.age = entry.cells[columns.findIndex((column) => column.kind === "age")];
  paintAge(view, entry);
}

function fillCell(cell, kind, value) {
  if (kind === "age") return;
  if (kind === "tags") cell.replaceChildren(...chips(value));
  else if (kind === "state") cell.replaceChildren(el("span", { class: `kq-state ${value[1]}` }, icon(value[2]), value[0]));
  else if (kind === "id") titled(cell, value, value.length > 7 ? `${value.slice(0, 6)}…` : value);
  else titled(cell, value, value);
}

function titled(cell, value, text) {
  write(cell, text);
  if (value.length > 7) cell.title = value;
  else cell.removeAttribute("title");
}

function chips(pairs) {
  const shown = pairs.slice(0, 2).map(chip);
  const others = pairs.slice(2);
  if (others.length) shown.push(el("span", { class: "kq-chip", title: others.map((pair) => pair.join("=")).join("\n") }, `+${others.length}`));
  return shown;
}

function paintAge(view, { age: cell, time }) {
  if (!cell) return;
  write(cell, time === null ? "none" : view.clock ? utc(time).slice(11, 23) : age(time));
  if (time !== null) cell.title = utc(time);
}

function paintAges(view) {
  for (const entry of view.entries.values()) paintAge(view, entry);
  if (!view.gone) paintEnded(view);
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

// ---------------------------------------------------------------- the open row

function paintOpen(view) {
  const number = view.model.get("detail").number;
  for (const [each, { node }] of view.entries) node.setAttribute("aria-selected", String(each === number));
}

function paintDetail(view, detail) {
  if (view.opened === detail) return;
  view.opened = detail;
  view.detail.replaceChildren(...(given(detail) ? [detailPane(view, detail)] : []));
}

function detailPane(view, detail) {
  const said = el("span", { class: "sr", role: "status" });
  const copy = button({ name: "Copy", glyph: "copy", title: "Copy the body", look: "quiet", act: () => copyText(detail.body, said) });
  const close = button({ name: "Close (Esc)", glyph: "close", title: "Close (Esc)", look: "icon quiet", bare: true, act: () => closeDetail(view) });
  return el("div", { class: "kq-pane" },
    el("div", { class: "kq-pane-head" }, el("h4", {}, detail.head), el("span", { class: "kq-kind" }, detail.about), said,
      el("div", { class: "kq-acts" }, copy, close)),
    el("div", { class: "kq-pad kq-open" }, el("pre", { class: "kq-pre", tabindex: 0, "aria-label": "Body" }, detail.body),
      ...(detail.answer === null ? [] : [el("pre", { class: "kq-pre", tabindex: 0, "aria-label": "Answer" }, detail.answer)]), facts(detail)));
}

function facts(detail) {
  const pairs = detail.facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", { class: "mono" }, value)]);
  const tags = detail.tags.map(chip);
  return el("dl", { class: "kq-dl" }, ...pairs, ...(tags.length ? [el("dt", {}, "tags"), el("dd", {}, ...tags)] : []));
}

// ---------------------------------------------------------------- life

function speak(view) {
  const { counts: [received, , dropped] } = view.model.get("status");
  write(view.spoken, `${received[1]} received, ${dropped[1]} dropped`);
}

// The kernel is gone and with it the feed: what is here stays to be read, and says so.
function paintGone(view) {
  view.gone = true;
  view.clock = true; // ages would go on growing
  paintAges(view);
  show(view.wrong, false);
  const { status, notes } = view;
  status.state.className = "kq-state off";
  status.state.replaceChildren(icon("plug"), "no kernel");
  show(status.rate, false);
  show(status.ended, false);
  for (const node of [view.pause, view.stop, view.clear, view.frame, view.retry, view.again]) show(node, false);
  for (const node of [view.find, view.follow, ...(view.start ? [view.start.node] : [])]) node.disabled = true;
  view.unseen.replaceChildren();
  notes.replaceChildren(note({ icon: "info", head: `As of ${utc(view.heard).slice(0, 19)} UTC.`, rest: "The kernel that showed this is gone. Run the cell to see it live." }));
}

function render({ model, el: host }) {
  const view = build(model);
  view.paint = oncePerFrame(() => paint(view));
  view.heard = model.get("status").as_of;
  const keys = (event) => onKey(view, event);
  const heard = () => { view.heard = Date.now(); view.paint(); };
  const clocks = [setInterval(() => paintAges(view), 1000), setInterval(() => speak(view), SPOKEN_EVERY)];
  const forget = whenKernelGoes(model, host, () => paintGone(view));
  host.append(view.root);
  window.addEventListener("keydown", keys, true);
  model.on("change", heard);
  view.paint();
  return () => {
    forget();
    clearTimeout(view.picking);
    clocks.forEach(clearInterval);
    clearTimeout(view.typing);
    window.removeEventListener("keydown", keys, true);
    model.off("change", heard);
  };
}

export default { render };
