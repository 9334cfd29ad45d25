// The queue browser: messages at the head of a queue, one open, one held.

const SORTABLE = ["sequence", "timestamp", "expiration_at", "receive_count", "size"];
const NEAR = 10; // seconds before a message expires in which that is marked

function build(model) {
  const about = model.get("about");
  const view = { model, narrowed: 0, send: (what, more = {}) => model.send({ do: what, ...more }) };
  view.hand = turnsOf(view);
  buildHead(view);
  buildBar(view, about);
  view.state = el("span", { role: "status" });
  view.counts = el("dl", { class: "kq-counts" });
  view.peeked = el("span", { class: "kq-rate kq-kind" });
  view.notes = el("div");
  view.asking = el("div");
  view.empty = el("div", { class: "kq-empty" });
  view.grid = grid({ label: `Messages of ${about.channel}`, blank: () => blankRow(view), fill: (node, row) => fillRow(view, node, row), open: (key) => open(view, Number(key)) });
  view.message = el("div");
  view.again = verb(view, "hold", { name: "Hold next", glyph: "lock", title: "Receive one in a transaction (H)", waits: "Holding", look: "primary" });
  view.card = cardPane(view, view.again);
  view.side = el("div", { class: "kq-split side kq-aside" }, view.message, view.card.node);
  view.editor = el("div");
  view.child = childPane();
  view.foot = foot();
  view.root = el("section", { class: "kq", "aria-label": about.label }, head(about, view.acts),
    el("div", { class: "kq-status" }, view.state, view.counts, view.peeked), view.notes, view.asking, view.bar,
    el("div", { class: "kq-split wide" }, el("div", {}, view.grid.node, view.empty), view.side), view.editor, view.child, view.foot.node);
  return view;
}

function buildHead(view) {
  const locked = view.model.get("about").read_only;
  view.hold = verb(view, "hold", { name: "Hold next", glyph: "lock", title: "Receive one in a transaction (H)", waits: "Holding" });
  view.form = button({ name: "Send…", glyph: "send", title: "Send to this queue", act: () => view.send("form") });
  view.frame = button({ name: "To DataFrame", glyph: "frame", title: "Put the shown messages in a variable (D)", look: "quiet", act: () => view.send("frame") });
  view.purge = verb(view, "ask", { name: "Purge…", glyph: "trash", title: "Remove all waiting messages; asks first", look: "quiet" });
  view.acts = locked ? [view.frame] : [view.hold, view.form, view.frame, view.purge];
}

function buildBar(view, about) {
  view.count = el("input", { class: "kq-input num kq-short", type: "number", min: 1, max: 1024, value: about.count, "aria-label": "How many messages to peek" });
  view.refresh = verb(view, "refresh", { name: "Refresh", glyph: "redo", title: "Look again (G)", waits: "Looking" }, () => ({ count: view.count.value }));
  view.search = searchField(view, { placeholder: "Filter, e.g. body.total > 10", name: "Filter peeked messages" });
  view.rerouted = el("input", { type: "checkbox", onchange: () => onlyDead(view) });
  view.wrong = el("p", { class: "kq-say bad kq-wide", role: "alert", hidden: true });
  view.lock = el("p", { class: "kq-hint kq-wide kq-lock" }, icon("lock"), el("span", {}, about.read_only));
  view.bar = el("div", { class: "kq-bar" }, el("label", { class: "kq-unit" }, el("span", {}, "Peek"), view.count), view.refresh,
    el("label", { class: "kq-find" }, icon("search"), view.search.node), el("label", { class: "kq-check" }, view.rerouted, "Only dead letters"), view.wrong,
    ...(about.read_only ? [view.lock] : []));
}

// ---------------------------------------------------------------- what a person does

function open(view, number) {
  view.send("open", { number: view.model.get("detail").number === number ? null : number });
}

function onlyDead(view) {
  view.send("rerouted", { on: view.rerouted.checked, turn: view.hand.sign() });
  view.narrowed = view.hand.turns;
}

function onKey(view, event) {
  if (event.target === view.search.node && event.key === "Escape") { view.search.clear(); taken(event); }
  else if (event.target === view.count && event.key === "Enter") { view.refresh.click(); taken(event); }
  else if (editorKey(view, view.editor, event) || tabKey(event)) taken(event);
  else if (!isField(event.target) && (closeKey(view, event) || gridKey(view.grid, event) || letterKey(view, event) || cardKey(view.card, event))) taken(event);
}

function closeKey(view, event) {
  if (event.key !== "Escape") return false;
  const { asking, detail } = { asking: view.model.get("asking"), detail: view.model.get("detail") };
  if (asking.head) view.send("keep");
  else if (detail.head) closeMessage(view);
  else return false;
  return true;
}

function closeMessage(view) {
  view.send("open", { number: null });
  makeCurrent(view.grid, view.grid.current, { focus: true });
}

function letterKey(view, event) {
  const act = { h: view.hold, d: view.frame, g: view.refresh }[event.key.toLowerCase()];
  if (event.key === "/") view.search.node.focus();
  else if (act?.isConnected && !act.hidden) act.click();
  else return false;
  return true;
}

// ---------------------------------------------------------------- what the kernel says

function paint(view) {
  const { model } = view;
  const status = model.get("status");
  paintState(view.state, status);
  counts(view.counts, status.counts);
  const again = () => button({ name: "Try again", glyph: "redo", title: "Look again", act: () => view.send("refresh", {}) });
  paintSaid(view, ...(status.note.head ? [[status.note, ...(status.closed ? [] : [again])]] : []));
  for (const node of [view.hold, view.again]) node.dataset.off = status.can_hold ? "" : "held";
  for (const node of [view.hold, view.form, view.purge, view.refresh, view.count.parentNode]) show(node, !status.closed);
  paintBusy(view, [view.hold, view.refresh, view.purge, view.again]);
  view.hold.classList.toggle("primary", status.can_hold && !model.get("card").state);
  paintQuestion(view);
  paintTable(view);
  paintMessage(view);
  paintCard(view, view.card, model.get("card"));
  if (status.closed) view.again.hidden = true;
  view.side.hidden = view.message.childElementCount === 0 && view.card.node.hidden;
  paintEditor(view, view.editor);
  paintChild(view);
  paintFoot(view);
  tick(view);
}

function paintQuestion(view) {
  const asking = view.model.get("asking");
  const key = JSON.stringify(asking);
  if (view.asked === key) return;
  const hadFocus = view.asking.contains(document.activeElement);
  view.asked = key;
  view.asking.replaceChildren(...(asking.head ? [question(view, asking)] : []));
  if (asking.head) view.asking.querySelector("button").focus();
  else if (hadFocus) view.purge.focus();
}

function question(view, asking) {
  const keep = button({ name: "Keep them", title: "Remove nothing (Esc)", act: () => view.send("keep") });
  const remove = button({ name: asking.act, glyph: "trash", title: "They cannot be brought back", look: "danger", act: () => view.send("purge") });
  const node = note({ tone: "bad", icon: "trash", head: asking.head, rest: asking.rest }, keep, remove);
  node.setAttribute("role", "alertdialog");
  node.setAttribute("aria-label", asking.head);
  return node;
}

function paintTable(view) {
  const [table, choices] = [view.model.get("table"), view.model.get("choices")];
  paintSearch(view.search, choices.filter);
  if (document.activeElement !== view.count) view.count.value = view.model.get("about").count;
  if (view.narrowed <= view.hand.heard) view.rerouted.checked = choices.rerouted;
  paintWrong(view, table.wrong);
  show(view.grid.node, table.rows.length > 0);
  show(view.empty, table.rows.length === 0 && !table.wrong);
  if (!table.rows.length) paintEmpty(view, table.empty);
  const anew = paintHead(view, table.columns, choices);
  view.grid.selected = String(view.model.get("detail").number ?? "");
  setRows(view.grid, table.rows.map((row) => ({ key: String(row.number), ...row })), { anew });
}

function paintWrong(view, wrong) {
  show(view.wrong, Boolean(wrong));
  view.search.node.setAttribute("aria-invalid", String(Boolean(wrong)));
  if (view.wrong.textContent !== wrong) view.wrong.replaceChildren(icon("bad"), el("span", {}, wrong));
}

function paintEmpty(view, empty) {
  const { closed } = view.model.get("status");
  const key = empty.head + empty.rest + closed;
  if (view.emptied === key) return;
  view.emptied = key;
  const again = button({ name: "Look again", glyph: "redo", title: "Look again (G)", act: () => view.send("refresh", {}) });
  view.empty.replaceChildren(icon("queues"), el("h4", {}, empty.head), el("p", {}, empty.rest), ...(closed ? [] : [again]));
}

function paintHead(view, columns, { sort, descending }) {
  const key = JSON.stringify([columns, sort, descending]);
  if (view.columns === key) return false;
  view.columns = key;
  const names = columns.map((column) => heading(view, column, column.sort === sort && (descending ? "descending" : "ascending")));
  view.grid.thead.replaceChildren(el("tr", {}, ...names));
  return true;
}

function heading(view, column, sorted) {
  const [isFigure, width] = [FIGURES.has(column.kind), widthOf(column)];
  if (SORTABLE.includes(column.sort)) {
    return sortHeading({ label: column.label, name: column.sort, isFigure, width, title: column.title, sorted, act: (name) => view.send("sort", { column: name }) });
  }
  const label = column.kind === "rerouted" ? [el("span", { class: "kq-p2" }, "dead letter "), "from"] : [column.label];
  return el("th", { scope: "col", class: headingClass(column) }, ...label);
}

function blankRow(view) {
  return el("tr", {}, ...blankCells(view.model.get("table").columns));
}

function fillRow(view, node, row) {
  const key = JSON.stringify(row);
  if (node.dataset.row === key) return;
  node.dataset.row = key;
  view.model.get("table").columns.forEach((column, place) => {
    fillPeeked(node.children[place], column.kind, row.cells[place], row);
    if (column.title) node.children[place].title = column.title;
  });
}

function fillPeeked(cell, kind, value, row) {
  if (kind === "rerouted") cell.replaceChildren(...(value ? [origin(value)] : []));
  else if (kind === "age" || kind === "expires") paintTime(cell, kind, row);
  else fillCell(cell, kind, value);
}

function origin(queue) {
  return el("span", { class: "kq-badge", title: `Dead letter: given up by ${queue}` }, icon("answer"), el("span", { class: "kq-p2" }, queue));
}

function paintTime(cell, kind, { time, expires }) {
  const at = kind === "age" ? time : expires;
  if (at === null) { cell.replaceChildren(el("span", { class: "dim" }, "none")); return; }
  cell.title = utc(at);
  if (kind === "age") return write(cell, age(at));
  const left = (at - Date.now()) / 1000;
  const text = left <= 0 ? "expired" : left < 1 ? "in less than 1 s" : `in ${span(left)}`;
  if (cell.textContent === text) return;
  cell.replaceChildren(left > NEAR ? text : left > 0 ? el("span", { class: "kq-badge warn" }, icon("clock"), text) : el("span", { class: "dim" }, text));
}

function paintMessage(view) {
  const detail = view.model.get("detail");
  const { closed } = view.model.get("status");
  if (view.opened === detail && view.wasClosed === closed) return;
  view.opened = detail;
  view.wasClosed = closed;
  if (!detail.head) return void view.message.replaceChildren();
  const said = el("span", { class: "sr", role: "status" });
  const copy = copyBody(detail, said, { name: "Copy body", look: "icon quiet", bare: true });
  const again = button({ name: "Send again…", glyph: "resend", title: "Send again…", look: "icon quiet", bare: true, act: () => view.send("form", { number: detail.number }) });
  const close = button({ name: "Close (Esc)", glyph: "close", title: "Close (Esc)", look: "icon quiet", bare: true, act: () => closeMessage(view) });
  const acts = view.model.get("about").read_only || closed ? [said, copy, close] : [said, copy, again, close];
  view.message.replaceChildren(messagePane(view, detail, ...acts));
}

// ---------------------------------------------------------------- life

function tick(view) {
  paintLeft(view.card, view.model.get("card"));
  const now = Math.floor(Date.now() / 1000);
  if (view.second === now && view.ticked === view.opened) return;
  view.second = now;
  view.ticked = view.opened;
  const { as_of } = view.model.get("status");
  write(view.peeked, as_of === null ? "" : `peeked ${ago(as_of)}`);
  if (as_of !== null) view.counts.title = view.peeked.title = `Figures and messages as of ${utc(as_of)}`;
  const { columns } = view.model.get("table");
  for (const row of view.grid.rows) {
    const node = view.grid.nodes.get(row.key);
    if (node) columns.forEach((column, place) => ["age", "expires"].includes(column.kind) && paintTime(node.children[place], column.kind, row));
  }
}

function render({ model, el: host }) {
  return live(build(model), host, { paint, onKey, tick, every: 100 });
}

export default { render };
