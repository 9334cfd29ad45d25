// The dashboard: figures, two charts, all channels, one of them open, and below it the view that a button opened.

const KINDS = [["queues", "Queues"], ["events", "Events"], ["events_store", "Events store"], ["commands", "Commands"], ["queries", "Queries"]];
const WORDS = { queues: "queue", events: "events", events_store: "events store", commands: "commands", queries: "queries" };
const SPAN = 300_000; // ms that the charts show
const COLUMNS = [
  { name: "channel", label: "channel" }, { name: "waiting", label: "waiting", isFigure: true }, { name: "sent", label: "sent", isFigure: true, width: "kq-p2" },
  { name: "rate", label: "msg/s", isFigure: true }, { name: "line", label: "last 5 min", width: "kq-p2" }, { name: "last", label: "last", isFigure: true },
];

function build(model) {
  const view = { model, chose: 0, send: (what, more = {}) => model.send({ do: what, ...more }) };
  view.hand = turnsOf(view);
  buildHead(view);
  view.notes = el("div");
  view.tiles = el("dl", { class: "kq-stats six kq-pane" });
  view.charts = buildCharts();
  buildBar(view);
  view.empty = el("div", { class: "kq-empty" });
  view.grid = grid({ label: "Channels", blank: blankRow, fill: (node, row) => fillRow(view, node, row), open: (key) => open(view, key) });
  view.detail = el("div");
  view.more = el("p", { class: "kq-hint kq-pad", hidden: true });
  view.child = childPane();
  view.foot = foot();
  view.root = el("section", { class: "kq", "aria-label": model.get("about").label }, view.head, view.notes, view.tiles, view.charts.node, view.bar,
    el("div", { class: "kq-split side flush" }, el("div", {}, view.grid.node, view.more, view.empty), view.detail), view.child, view.foot.node);
  return view;
}

function buildHead(view) {
  view.connection = el("select", { class: "kq-select kq-strong", "aria-label": "Connection", onchange: () => view.send("use", { name: view.connection.value }) });
  view.state = el("span", { role: "status" });
  view.readOnly = el("span", { class: "kq-badge", hidden: true }, icon("lock"), "read-only");
  view.server = el("span", { class: "kq-kind" });
  view.refresh = button({ name: "Refresh", glyph: "redo", title: "Look now (G)", look: "quiet", act: () => view.send("refresh") });
  view.form = button({ name: "Send…", glyph: "send", title: "Send to a channel", look: "primary", act: () => act(view, "send", view.model.get("detail")) });
  view.head = el("header", { class: "kq-head" }, icon("plug"), view.connection, view.state, view.readOnly, view.server, el("div", { class: "kq-acts" }, view.refresh, view.form));
}

function buildBar(view) {
  view.find = el("input", { class: "kq-input", type: "search", placeholder: "Filter channels", "aria-label": "Filter channels", oninput: () => choose(view, { filter: view.find.value.trim() }) });
  view.kinds = KINDS.map(([kind, label]) => {
    const count = el("span", { class: "dim" });
    const node = el("button", { type: "button", class: "kq-btn", title: `Show only ${label.toLowerCase()}`, "aria-pressed": "false", onclick: () => toggle(view, kind) }, icon(kind), el("span", { class: "kq-p3" }, label), count);
    return { kind, label, node, count };
  });
  view.bar = el("div", { class: "kq-bar", role: "toolbar", "aria-label": "Channel filter" }, el("label", { class: "kq-find" }, icon("search"), view.find),
    el("div", { class: "kq-join" }, ...view.kinds.map(({ node }) => node)));
}

// ---------------------------------------------------------------- charts

function buildCharts() {
  const rates = chart("Messages a second", 2);
  const backlog = chart("Backlog, all queues", 1);
  return { rates, backlog, node: el("div", { class: "kq-split even kq-pane" }, rates.node, backlog.node) };
}

function chart(title, lines) {
  const drawing = svg("svg", { class: "spark kq-chart", viewBox: "0 0 400 64", preserveAspectRatio: "none", role: "img" });
  for (const y of [0.5, 32, 63.5]) drawing.append(svg("path", { class: "s-grid", d: `M0 ${y}H400` }));
  const area = svg("path", { class: "s-area" });
  const paths = Array.from({ length: lines }, (_, place) => svg("path", { class: place ? "s-line two" : "s-line" }));
  drawing.append(area, ...paths);
  const [top, middle, now] = [el("span"), el("span"), el("span", { class: "kq-hint" })];
  const keys = lines > 1 ? [legend("in", "s-line"), legend("out", "s-line two")] : [now];
  const minutes = [["−5 min", ""], ["−4", "kq-p2"], ["−3", ""], ["−2", "kq-p2"], ["−1", ""], ["now", ""]];
  const node = el("figure", { class: "kq-figure" }, el("figcaption", { class: "kq-line" }, el("span", { class: "kq-label grow" }, title), ...keys),
    el("div", { class: "kq-plot" }, drawing, el("div", { class: "kq-axis kq-upright" }, top, middle, el("span", {}, "0")),
      el("div", { class: "kq-axis" }, ...minutes.map(([text, width]) => el("span", { class: width }, text)))));
  return { node, drawing, area, paths, top, middle, now };
}

function legend(name, look) {
  const line = svg("svg", { width: 18, height: 8, viewBox: "0 0 18 8", "aria-hidden": "true" });
  line.append(svg("path", { class: look, d: "M0 4H18" }));
  return el("span", { class: "kq-hint kq-line" }, line, name);
}

function paintCharts(view) {
  const { times, in: rates, out, waiting, now: [rateIn, rateOut, backlog] } = view.model.get("chart");
  const { rates: first, backlog: second } = view.charts;
  draw(first, times, [rates, out], 4);
  draw(second, times, [waiting], 4);
  first.drawing.setAttribute("aria-label", `In ${rateIn}, out ${rateOut} messages a second`);
  const was = (waiting[0] ?? 0).toLocaleString("en");
  second.drawing.setAttribute("aria-label", was === backlog ? `Backlog ${backlog} messages` : `Backlog went from ${was} to ${backlog} messages`);
  if (second.now.dataset.count !== backlog) {
    second.now.dataset.count = backlog;
    second.now.replaceChildren(el("b", {}, backlog), " waiting");
  }
}

function draw(chart, times, lines, least) {
  const top = nice(Math.max(...lines.flat(), least));
  const end = times.at(-1) ?? 0;
  const x = (time) => (400 * (1 - (end - time) / SPAN)).toFixed(1);
  lines.forEach((values, place) => {
    const points = values.map((value, at) => `${x(times[at])} ${(63 - 62 * value / top).toFixed(1)}`).filter((_, at) => end - times[at] <= SPAN);
    const path = points.length > 1 ? `M${points.join("L")}` : "";
    chart.paths[place].setAttribute("d", path);
    if (place === 0) chart.area.setAttribute("d", path && `${path}V63.5H${points[0].split(" ")[0]}z`);
  });
  write(chart.top, top.toLocaleString("en"));
  write(chart.middle, (top / 2).toLocaleString("en"));
}

// The next figure that halves to a round one.
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((each) => each >= value);
}

// ---------------------------------------------------------------- what a person does

function choose(view, choice) {
  view.choices = { ...view.choices, ...choice };
  view.send("choose", { choice, turn: view.hand.sign() });
  view.chose = view.hand.turns;
  view.chosen = "";
  paintTable(view); // at once, also while the kernel is busy
}

function toggle(view, kind) {
  const { kinds } = view.choices;
  choose(view, { kinds: kinds.includes(kind) ? kinds.filter((each) => each !== kind) : [...kinds, kind] });
}

function sortBy(view, name) {
  const { sort, descending } = view.choices;
  choose(view, { sort: name, descending: sort === name ? !descending : name !== "channel" });
}

function open(view, key) {
  const row = view.grid.rows[view.grid.places.get(key)];
  const again = key === view.grid.selected;
  view.send("open", again ? { channel: null } : { kind: row.kind, channel: row.channel });
}

function act(view, what, { kind, channel }) {
  if (view.model.get("busy")) return;
  const named = what === "send" && ["commands", "queries"].includes(kind) ? "ask" : what;
  view.send("act", { what: named, kind: kind ?? "queues", channel: channel ?? "" });
}

function closeDetail(view) {
  view.send("open", { channel: null });
  makeCurrent(view.grid, view.grid.current, { focus: true });
}

function onKey(view, event) {
  if (event.target === view.find && event.key === "Escape") { view.find.value = ""; choose(view, { filter: "" }); taken(event); }
  else if (!isField(event.target) && (closeKey(view, event) || gridKey(view.grid, event) || letterKey(view, event))) taken(event);
}

function closeKey(view, event) {
  if (event.key !== "Escape" || !view.model.get("detail").channel) return false;
  closeDetail(view);
  return true;
}

function letterKey(view, event) {
  const key = event.key.toLowerCase();
  const detail = view.model.get("detail");
  const action = detail.actions?.find((each) => each.key === key);
  if (key === "/") view.find.focus();
  else if (key === "g") view.refresh.click();
  else if (action) act(view, action.what, detail);
  else return false;
  return true;
}

// ---------------------------------------------------------------- what the kernel says

function paint(view) {
  const { model } = view;
  view.choices ??= model.get("choices");
  if (model.get("choices") !== view.taken && view.chose <= view.hand.heard) view.choices = view.taken = model.get("choices");
  paintHead(view, model.get("status"));
  const { note: trouble } = model.get("status");
  const again = () => button({ name: trouble.act, glyph: "redo", title: "Look now", act: () => view.send("refresh") });
  paintSaid(view, ...(trouble.head ? [[trouble, ...(trouble.act ? [again] : [])]] : []));
  paintTiles(view, model.get("status").tiles);
  paintCharts(view);
  paintTable(view);
  paintDetail(view);
  paintChild(view);
  paintFoot(view);
  tick(view);
}

function paintHead(view, status) {
  paintState(view.state, status);
  show(view.readOnly, status.read_only);
  show(view.form, !status.read_only && !status.closed);
  show(view.refresh, !status.closed);
  const key = JSON.stringify(status.connections);
  if (view.connections !== key) {
    view.connections = key;
    view.connection.replaceChildren(...status.connections.map(([name, label]) => el("option", { value: name }, label)));
  }
  view.connection.value = status.connection;
}

function paintTiles(view, tiles) {
  tiles.forEach(([name, figure, unit], place) => {
    const item = view.tiles.children[place] ?? view.tiles.appendChild(el("div", {}, el("dt", {}, name), el("dd", {}, el("span"), " ", el("small", {}, unit))));
    write(item.lastChild.firstChild, figure);
  });
}

function paintTable(view) {
  const table = view.model.get("table");
  const { filter, kinds } = view.choices;
  const rows = arranged(view, table.rows);
  if (document.activeElement !== view.find) view.find.value = filter; // never under a hand that types
  for (const each of view.kinds) paintKind(each, table.rows, kinds.includes(each.kind));
  show(view.grid.node, rows.length > 0);
  show(view.empty, rows.length === 0);
  if (!rows.length) paintEmpty(view, table);
  paintHeadings(view);
  const detail = view.model.get("detail");
  view.grid.selected = detail.channel === undefined ? null : keyOf(detail.kind, detail.channel);
  setRows(view.grid, rows);
  show(view.more, table.of > table.rows.length || !table.complete);
  write(view.more, table.of > table.rows.length ? `The ${table.rows.length.toLocaleString("en")} most recently used of ${table.of.toLocaleString("en")} channels.`
    : table.complete ? "" : "This server tells only its queues; of the other patterns, the channels that this session used.");
}

function keyOf(kind, channel) {
  return `${kind} ${channel}`;
}

// Filter and order are the view's own work: they act at once on what is here.
function arranged(view, rows) {
  const { filter, kinds, sort, descending } = view.choices;
  const text = filter.toLowerCase();
  const place = { channel: 1, waiting: 3, sent: 4, rate: 5, last: 6 }[sort];
  const found = rows.filter(([kind, channel]) => (!kinds.length || kinds.includes(kind)) && (!text || channel.toLowerCase().includes(text)));
  const byName = (a, b) => a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : a[0] < b[0] ? -1 : 1;
  found.sort((a, b) => place === 1 ? byName(a, b) * (descending ? -1 : 1)
    : ((b[place] ?? -1) - (a[place] ?? -1)) * (descending ? 1 : -1) || (sort === "rate" ? (b[6] ?? 0) - (a[6] ?? 0) : 0) || byName(a, b));
  return found.map((cells) => ({ key: keyOf(cells[0], cells[1]), kind: cells[0], channel: cells[1], cells }));
}

function paintKind({ kind, label, node, count }, rows, pressed) {
  const found = rows.filter((row) => row[0] === kind).length.toLocaleString("en");
  write(count, found);
  node.setAttribute("aria-pressed", String(pressed));
  node.setAttribute("aria-label", `${label} ${found}`);
}

function paintEmpty(view, table) {
  const none = table.rows.length === 0;
  const key = String(none);
  if (view.emptied === key) return;
  view.emptied = key;
  const { read_only, closed } = view.model.get("status");
  const send = read_only || closed ? [] : [button({ name: "Send a message…", glyph: "send", title: "Send to a channel", act: () => act(view, "send", {}) })];
  view.empty.replaceChildren(icon("events"), ...(none ? [el("h4", {}, "No channel yet"), el("p", {}, "A channel appears with its first message."), ...send]
    : [el("h4", {}, "No channel matches"), el("p", {}, "Esc in the filter empties it.")]));
}

function paintHeadings(view) {
  const { sort, descending } = view.choices;
  const key = `${sort} ${descending}`;
  if (view.sorted === key) return;
  const focused = view.grid.thead.contains(document.activeElement) && [...view.grid.thead.querySelectorAll("button")].indexOf(document.activeElement);
  view.sorted = key;
  const names = COLUMNS.map((column) => column.name === "line" ? el("th", { scope: "col", class: column.width }, column.label)
    : sortHeading({ ...column, sorted: column.name === sort && (descending ? "descending" : "ascending"), act: (name) => sortBy(view, name) }));
  view.grid.thead.replaceChildren(el("tr", {}, ...names));
  if (focused !== false && focused >= 0) view.grid.thead.querySelectorAll("button")[focused]?.focus();
}

function blankRow() {
  const line = spark();
  line.node.setAttribute("viewBox", "0 0 96 20");
  const name = el("span", { class: "mono cut" });
  const mark = el("span", { class: "dim" });
  const cells = [el("td", { class: "kq-place" }, el("span", { class: "kq-line" }, mark, name)), el("td", { class: "num" }), el("td", { class: "num dim kq-p2" }),
    el("td", { class: "num" }), el("td", { class: "kq-p2 kq-spark" }, line.node), el("td", { class: "num dim" })];
  const node = el("tr", {}, ...cells);
  node.parts = { line, name, mark };
  return node;
}

function fillRow(view, node, { cells: [kind, channel, name, waiting, sent, rate, last, line] }) {
  const { parts } = node;
  if (node.dataset.kind !== kind) {
    node.dataset.kind = kind;
    parts.mark.title = WORDS[kind];
    parts.mark.replaceChildren(icon(kind), el("span", { class: "sr" }, WORDS[kind]));
  }
  write(parts.name, name);
  parts.name.title = name;
  figure(node.children[1], waiting, kind.startsWith("events") ? "Events are not held" : "The server does not tell");
  write(node.children[2], sent === null ? "–" : sent.toLocaleString("en"));
  figure(node.children[3], rate, "", rate.toFixed(1));
  drawSpark(parts.line, line);
  parts.line.node.setAttribute("aria-label", `${name}: ${rate} messages a second, last 5 min`);
  node.last = last;
  paintLast(node);
}

// Zero is grey, what is not told a dash with its reason.
function figure(cell, value, reason, text = value === null ? "–" : value.toLocaleString("en")) {
  if (cell.dataset.text === text) return;
  cell.dataset.text = text;
  cell.replaceChildren(value ? el("b", {}, text) : el("span", { class: "dim", ...(value === null ? { title: reason } : {}) }, text));
}

function paintLast({ children, last }) {
  write(children[5], last === null ? "–" : age(last));
  children[5].title = last === null ? "The server does not tell" : utc(last);
}

// ---------------------------------------------------------------- the open channel

function paintDetail(view) {
  const detail = view.model.get("detail");
  const busy = view.model.get("busy");
  const key = JSON.stringify([detail.kind, detail.channel, detail.actions]);
  if (view.opened !== key) {
    view.opened = key;
    view.parts = detail.channel === undefined ? null : channelPane(view, detail);
    view.detail.replaceChildren(...(view.parts ? [view.parts.node] : []));
  }
  if (!view.parts) return;
  counted(view.parts.facts, detail.facts);
  for (const node of view.parts.acts) {
    if (busy) node.setAttribute("aria-disabled", "true");
    else node.removeAttribute("aria-disabled");
  }
}

function channelPane(view, detail) {
  const close = button({ name: "Close (Esc)", glyph: "close", title: "Close (Esc)", look: "icon quiet", bare: true, act: () => closeDetail(view) });
  const acts = detail.actions.map(({ what, name, glyph, title }) => button({ name, glyph, title, look: detail.read_only ? "primary" : "", act: () => act(view, what, detail) }));
  const facts = el("dl", { class: "kq-dl kq-facts" });
  const locked = detail.read_only ? [el("p", { class: "kq-hint kq-lock" }, icon("lock"), el("span", {}, detail.read_only))] : [];
  const node = el("aside", { class: "kq-pane", "aria-label": detail.channel },
    el("div", { class: "kq-pane-head" }, icon(detail.kind), el("h4", { class: "kq-name cut", title: detail.channel }, detail.channel), el("span", { class: "kq-kind" }, detail.noun), el("div", { class: "kq-acts" }, close)),
    el("div", { class: "kq-pad kq-card" }, el("div", { class: "kq-chips" }, ...acts), ...locked, facts));
  return { node, acts, facts };
}

function counted(node, facts) {
  if (node.childElementCount !== 2 * facts.length) node.replaceChildren(...facts.flatMap(([name]) => [el("dt", {}, name), el("dd", { class: "num" })]));
  facts.forEach(([, text], place) => write(node.children[2 * place + 1], text));
}

// ---------------------------------------------------------------- life

function tick(view) {
  const status = view.model.get("status");
  const now = Date.now();
  const up = span((now - status.started) / 1000);
  write(view.server, `${status.version}${status.version ? ", " : ""}up ${up === "now" ? "less than 1 s" : up}`);
  view.server.title = view.server.textContent;
  for (const node of view.grid.nodes.values()) paintLast(node);
  const old = status.as_of === null ? "" : age(status.as_of);
  const updated = old === "now" ? "updated now" : `updated ${old} ago`;
  write(view.foot.held, status.state === "live" ? `${updated}, every 2 s` : updated);
  if (status.state === "reconnecting") paintSince(view, `The figures below are ${old === "now" ? "1 s" : old} old. ${attempts(status)}`);
}

function render({ model, el: host }) {
  return live(build(model), host, { paint, onKey, tick, every: 1000 });
}

export default { render };
