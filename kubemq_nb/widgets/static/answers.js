// Answer by hand: what waits and the time that is left, the open request with its answer, the log.

const NOUNS = { command: "command", query: "query" };
const MODES = [["echo", "Echo"], ["fixed", "Fixed"], ["delay", "Delay"], ["error", "Error"]];
const LOG = [["age", "num"], ["answered", ""], ["request", "kq-p2"], ["executed", ""], ["answer", "kq-p2"], ["latency", "num"], ["by", ""]];
const FEW = 5; // seconds that are few
const SHARE = 0.4; // of a short time, the last part that is little
const QUIET = 5_000; // ms between two announcements of what waits

function build(model) {
  const about = model.get("about");
  const view = { model, send: (what, more = {}) => model.send({ do: what, ...more }), shown: null, switched: 0, told: 0, before: 0 };
  view.hand = handOf(view);
  buildHead(view);
  view.state = el("span", { role: "status" });
  view.counts = el("dl", { class: "kq-counts" });
  view.latency = el("span", { class: "kq-rate kq-kind" });
  view.spoken = el("span", { class: "sr", role: "status" });
  view.notes = el("div");
  buildAuto(view);
  buildWaiting(view);
  buildAsked(view);
  buildAnswer(view);
  view.split = el("div", { class: "kq-split even", hidden: true }, view.asked, view.answer);
  buildLog(view);
  view.foot = foot();
  view.head = head(about, [view.stop, view.frame]);
  view.root = el("section", { class: "kq", "aria-label": about.label, tabindex: -1 }, view.head,
    el("div", { class: "kq-status" }, view.state, view.counts, view.latency, view.spoken), view.notes, view.bar,
    view.grid.node, view.more, view.empty, view.split, view.log.node, view.foot.node);
  return view;
}

function buildHead(view) {
  view.stop = button({ name: "Stop", glyph: "stop", title: "", act: () => { if (!view.model.get("busy")) view.send(view.stop.dataset.verb); } });
  view.frame = button({ name: "To DataFrame", glyph: "frame", title: "Put the log in a variable (D)", look: "quiet", act: () => view.send("frame") });
}

// ---------------------------------------------------------------- the auto-answer

function buildAuto(view) {
  view.on = el("input", { type: "checkbox", role: "switch", onchange: () => automatic(view, { on: view.on.checked }) });
  view.onWord = el("span");
  view.mode = segment({ name: "mode", label: "Auto-answer with", choices: MODES, typed: ({ mode }) => automatic(view, { on: true, mode }) });
  view.autos = {
    fixed: textField({ name: "fixed", label: "Fixed body", look: "mono", placeholder: "text or JSON", typed: view.hand.type }),
    error: textField({ name: "reason", label: "Error", placeholder: "refused automatically", typed: view.hand.type }),
    after: textField({ name: "after", label: "after", unit: "s", look: "num", placeholder: "0", typed: view.hand.type }),
  };
  view.autos.after.node.classList.add("kq-after");
  for (const { node } of Object.values(view.autos)) node.addEventListener("change", () => automatic(view, { on: true }));
  view.autoHint = el("span", { class: "kq-hint" });
  const more = el("span", { class: "kq-p2" }, " Switch on to answer with echo, a fixed body, a delay or an error.");
  view.offHint = el("div", { class: "grow" }, el("span", { class: "kq-hint" }, "Requests wait for you.", more));
  view.bar = el("div", { class: "kq-bar" }, el("label", { class: "kq-switch" }, view.on, view.onWord), view.offHint, view.mode.node,
    ...Object.values(view.autos).map(({ node }) => node), view.autoHint);
}

function automatic(view, more) {
  view.hand.flush();
  const turn = view.hand.sign();
  view.switched = view.hand.turns;
  view.send("auto", { turn, ...more });
}

function paintAuto(view) {
  const auto = view.model.get("auto");
  if (view.switched <= view.hand.heard) { // else the kernel has not heard of the last choice
    view.on.checked = auto.on;
    view.mode.write(auto.mode);
  }
  write(view.onWord, `Auto-answer ${auto.on ? "on" : "off"}`);
  show(view.offHint, !auto.on);
  show(view.mode.node, auto.on);
  const controls = Object.values(view.autos);
  show(view.autos.fixed.node, auto.on && auto.mode === "fixed");
  show(view.autos.error.node, auto.on && auto.mode === "error");
  show(view.autos.after.node, auto.on);
  writeFields(view.hand, controls, auto);
  showWrong(controls, auto.mistakes);
  show(view.autoHint, auto.on && Boolean(auto.hint));
  write(view.autoHint, auto.hint);
}

// ---------------------------------------------------------------- what waits

function buildWaiting(view) {
  view.grid = grid({ label: "Waiting requests", blank: blankWaiting, fill: fillWaiting, open: (key) => open(view, Number(key)) });
  const names = [el("th", { scope: "col" }, "waiting"), el("th", { scope: "col" }, "request"), el("th", { scope: "col", colspan: 2, class: "num" }, "time left")];
  view.grid.thead.append(el("tr", {}, ...names));
  view.grid.node.classList.add("few");
  view.more = el("p", { class: "kq-hint kq-pad", hidden: true });
  view.empty = el("div", { class: "kq-empty", hidden: true });
}

function blankWaiting() {
  const node = el("tr", {}, el("td", { class: "kq-to" }), el("td", { class: "rest kq-ask" }), el("td", { class: "kq-bit" }), el("td", { class: "num kq-soon" }));
  node.bar = el("progress");
  node.badge = el("span", { class: "kq-badge warn" }, icon("alert"), el("span", { class: "sr" }, "soon: "), el("span"));
  node.plain = el("span");
  node.children[2].append(node.bar);
  node.children[3].append(node.badge, node.plain);
  return node;
}

function fillWaiting(node, row) {
  node.row = row;
  paintTime(node);
  if (node.dataset.number === String(row.number)) return;
  node.dataset.number = row.number;
  node.children[0].replaceChildren(named(row));
  write(node.children[1], row.request);
  node.children[1].title = row.request;
}

function named({ kind, channel }) {
  return el("span", { class: "kq-line" }, el("span", { class: "dim", title: NOUNS[kind] }, icon(kind === "command" ? "commands" : "queries"), el("span", { class: "sr" }, NOUNS[kind])),
    el("span", { class: "mono cut", title: channel }, channel));
}

function leftOf({ deadline, timeout }) {
  const left = Math.min(Math.max(0, (deadline - Date.now()) / 1000), timeout);
  return { left, soon: left < Math.min(FEW, SHARE * timeout), text: left >= 120 ? span(left) : `${left.toFixed(1)} s` };
}

function paintTime(node) {
  const { left, soon, text } = leftOf(node.row);
  node.bar.max = node.row.timeout || 1;
  node.bar.value = left;
  node.bar.className = soon ? "warn" : "";
  node.bar.setAttribute("aria-label", `Time left of ${node.row.timeout} s`);
  show(node.badge, soon);
  show(node.plain, !soon);
  write(soon ? node.badge.lastChild : node.plain, text);
}

function paintWaiting(view) {
  const [{ rows, of }, detail, status] = [view.model.get("waiting"), view.model.get("detail"), view.model.get("status")];
  show(view.grid.node, rows.length > 0);
  show(view.more, of > rows.length);
  write(view.more, of > rows.length ? `The oldest ${rows.length.toLocaleString("en")} of ${of.toLocaleString("en")} that wait.` : "");
  view.grid.selected = String(detail.number ?? "");
  setRows(view.grid, rows.map((row) => ({ ...row, key: String(row.number) })));
  show(view.empty, !rows.length && !detail.number && !view.model.get("auto").on);
  const key = `${status.state} ${view.model.get("about").ask}`;
  if (view.emptied !== key) view.empty.replaceChildren(...nothing(view, status));
  view.emptied = key;
}

function nothing(view, { state }) {
  const { ask } = view.model.get("about");
  if (state === "stopped" || state === "closed") return [icon("queries"), el("h4", {}, "No request waits"), el("p", {}, state === "closed" ? "The connection was closed." : "Nobody is listened to: Start again takes requests.")];
  return [icon("queries"), el("h4", {}, "Ready. No request waits"), el("p", {}, "Ask from any client or cell:", " ", el("code", {}, ask))];
}

// ---------------------------------------------------------------- the open request

function buildAsked(view) {
  view.title = el("span", { class: "kq-line" });
  view.left = el("span", { class: "kq-count", role: "timer" });
  view.leftHint = el("span", { class: "kq-hint grow" });
  view.soon = el("span", { class: "kq-badge warn" }, icon("alert"), "soon");
  view.leftBar = el("progress", { class: "big", "aria-label": "Time left" });
  view.clock = el("div", { class: "kq-left kq-pad" }, el("div", { class: "kq-line" }, view.left, view.leftHint, view.soon), view.leftBar);
  view.tabs = el("div", { class: "kq-message" });
  view.facts = el("dl", { class: "kq-dl kq-pad" });
  view.asked = el("div", { class: "kq-pane", role: "group", "aria-label": "Open request" }, view.title, view.clock, view.tabs, view.facts);
}

function buildAnswer(view) {
  const typed = (fields) => view.hand.type({ ...fields, of: view.shown });
  const word = (glyph, text) => el("span", { class: "kq-line" }, icon(glyph), text);
  view.executed = segment({ name: "executed", label: "Executed", choices: [["yes", word("check", "Yes")], ["no", word("close", "No")]], typed: (fields) => { typed(fields); view.hand.flush(); } });
  view.form = {
    error: textField({ name: "error", label: "Error for the asker", placeholder: "refused by hand", typed }),
    body: bodyEditor({ name: "body", label: "Answer body", rows: 5, typed, format: () => act(view, "format") }),
    metadata: textField({ name: "metadata", label: "Metadata", placeholder: "any text", typed }),
    tags: tagEditor({ name: "tags", label: "Tags", typed }),
  };
  view.command = el("p", { class: "kq-hint" }, "Who sent a command is told that it was executed, and gets the tags; a body goes with queries only.");
  view.ended = el("div");
  view.go = button({ name: "Answer", glyph: "answer", title: "Answer (Ctrl+Enter)", look: "primary", act: () => answer(view) });
  view.go.append(el("kbd", {}, "Ctrl Enter"));
  view.go.setAttribute("aria-keyshortcuts", "Control+Enter");
  view.go.dataset.verb = "answer";
  view.keep = button({ name: "Keep for auto-answer", glyph: "pin", title: "Let the auto-answer say this", look: "quiet", act: () => act(view, "keep") });
  view.carry = button({ name: "Use it for the next", glyph: "forward", title: "Take what is typed over to the oldest request that waits", act: () => act(view, "carry") });
  view.discard = button({ name: "Discard", glyph: "close", title: "", look: "quiet", act: () => act(view, "discard") });
  const fields = Object.values(view.form).map(({ node }) => node);
  view.answer = el("div", { class: "kq-pane", role: "group", "aria-label": "Your answer" },
    el("div", { class: "kq-pane-head" }, el("h4", {}, "Your answer"), el("span", { class: "kq-kind" }, "executed"), view.executed.node),
    view.ended, el("div", { class: "kq-pad kq-card" }, view.command, ...fields, el("div", { class: "kq-chips" }, view.go, view.carry, view.keep, view.discard)));
  view.answer.addEventListener("focusin", () => { if (view.attended !== view.shown) view.send("attend", { number: view.attended = view.shown }); });
}

// What acts on the form acts on what stands in it now.
function act(view, what) {
  view.hand.flush();
  view.send(what, { turn: view.hand.sign(), number: view.shown });
}

function answer(view) {
  if (view.go.getAttribute("aria-disabled") === "true" || !view.go.isConnected || view.go.hidden) return;
  view.answering = view.shown;
  act(view, "answer");
}

function open(view, number) {
  view.wanted = number;
  if (view.shown === number) focusForm(view);
  else view.send("open", { number });
}

function focusForm(view) {
  view.wanted = null;
  const { kind } = view.model.get("detail");
  const control = view.executed.read() === "no" ? view.form.error : kind === "query" ? view.form.body : view.executed;
  control.focus();
}

function paintRequest(view) {
  const detail = view.model.get("detail");
  const number = detail.number ?? null;
  const key = JSON.stringify(detail);
  if (view.shown !== number) moveOn(view, number);
  show(view.split, number !== null);
  if (number === null) return;
  if (view.detail !== key) paintDetail(view, detail);
  view.detail = key;
  paintForm(view, detail);
  if (view.wanted === number) focusForm(view);
}

// Another request is open: what was typed was for the one before, and the focus leaves its form once it is answered.
function moveOn(view, number) {
  view.hand.flush();
  const leaves = view.answer.contains(document.activeElement) && view.answering === view.shown;
  view.shown = number;
  if (!leaves) return;
  view.answering = null;
  if (number === null) view.root.focus({ preventScroll: true });
  else requestAnimationFrame(() => makeCurrent(view.grid, String(number), { focus: true }));
}

function paintDetail(view, detail) {
  const about = el("span", { class: "kq-kind cut", title: `id ${detail.id}` }, `${NOUNS[detail.kind]}, id ${shortId(detail.id)}`);
  view.title.className = "kq-pane-head";
  view.title.replaceChildren(icon(detail.kind === "command" ? "commands" : "queries"), el("h4", { class: "kq-name cut", title: detail.channel }, detail.channel), about);
  view.tabs.replaceChildren(...messageTabs(view, detail));
  const none = el("span", { class: "dim" }, "none");
  const facts = [["from", detail.sender], ["metadata", detail.metadata], ...(detail.cache ? [["cache key", detail.cache]] : [])];
  view.facts.replaceChildren(...facts.flatMap(([name, text]) => [el("dt", {}, name), el("dd", { class: name === "metadata" ? "" : "mono" }, text || none.cloneNode(true))]));
  const { end } = detail;
  const had = view.ended.firstChild;
  view.ended.replaceChildren(...(end.head ? [note({ tone: "warn", icon: "clock", ...end })] : []));
  if (end.head && !had && document.activeElement === view.go) view.discard.focus();
}

function paintForm(view, detail) {
  const [values, wrong, { rows }] = [view.model.get("values"), view.model.get("wrong"), view.model.get("waiting")];
  const [isQuery, ended] = [detail.kind === "query", Boolean(detail.end.head)];
  const controls = Object.values(view.form);
  writeFields(view.hand, [view.executed, ...controls], values);
  showWrong(controls, wrong.mistakes);
  const refuses = view.executed.read() === "no";
  show(view.form.error.node, refuses);
  show(view.form.body.node, isQuery && !refuses);
  show(view.form.metadata.node, isQuery);
  show(view.command, !isQuery && !refuses);
  Object.assign(view.go.dataset, refuses ? { name: "Refuse", waits: "Refusing" } : { name: "Answer", waits: "Answering" });
  view.go.setAttribute("aria-label", view.go.dataset.name);
  view.go.title = `${view.go.dataset.name} (Ctrl+Enter)`;
  view.go.dataset.off = wrong.field;
  show(view.go, !ended);
  show(view.carry, ended && rows.length > 0 && Boolean(detail.end.rest));
  show(view.discard, ended);
  rename(view.discard, { name: detail.end.rest ? "Discard" : rows.length ? "Next request" : "Close", glyph: "close", title: "Let go of this request (Esc)", look: "quiet" });
  show(view.clock, !ended);
  paintBusy(view, [view.go]);
  lookAt(view, wrong);
}

// Who wanted to answer with what cannot be read is shown where it is.
function lookAt(view, wrong) {
  if (!wrong.turn.startsWith(`${view.hand.id} `) || view.looked === wrong.turn) return;
  view.looked = wrong.turn;
  Object.values(view.form).find((control) => control.name === wrong.field)?.focus();
}

function paintLeft(view) {
  const detail = view.model.get("detail");
  if (!detail.number || detail.end.head) return;
  const { left, soon, text } = leftOf(detail);
  write(view.left, text);
  write(view.leftHint, left === 0 ? "its asker has given up" : `left of ${detail.timeout} s before the asker gives up`);
  show(view.soon, soon && left > 0);
  view.leftBar.className = soon ? "big warn" : "big";
  view.leftBar.max = detail.timeout || 1;
  view.leftBar.value = left;
}

// ---------------------------------------------------------------- the log

function buildLog(view) {
  view.lines = el("tbody");
  view.lineNodes = new Map();
  const table = el("table", { class: "kq-table", "aria-label": "Requests that ended" }, el("thead", {}, el("tr", {}, ...LOG.map(([name, look]) => el("th", { scope: "col", class: look }, name)))), view.lines);
  view.log = { node: el("div", { class: "kq-pane kq-scroll few", tabindex: 0, role: "region", "aria-label": "Log of requests that ended", hidden: true }, table) };
}

function paintLog(view) {
  const { rows } = view.model.get("log");
  if (view.logged === rows) return;
  view.logged = rows;
  show(view.log.node, rows.length > 0);
  const nodes = new Map(rows.map((row) => [row.number, view.lineNodes.get(row.number) ?? logLine(row)]));
  view.lineNodes = nodes;
  view.lines.replaceChildren(...nodes.values());
}

function logLine(row) {
  const [word, tone, glyph] = row.executed;
  const node = el("tr", {}, el("td", { class: "num dim", title: row.time === null ? "" : utc(row.time) }), el("td", { class: "kq-to" }, named(row)),
    el("td", { class: "rest kq-p2", title: row.request }, row.request), el("td", {}, el("span", { class: `kq-state ${tone}` }, icon(glyph), word)),
    el("td", { class: "rest kq-p2", title: row.answer }, row.answer), el("td", { class: "num" }, row.latency), el("td", { class: "dim" }, row.by));
  node.time = row.time;
  return node;
}

// ---------------------------------------------------------------- keys

function onKey(view, event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sendKey(view, event);
  else if (event.key === "Enter" && view.bar.contains(event.target) && isField(event.target)) automatic(view, { on: true });
  else if (event.key === "Escape" ? !escapeKey(view, event) : isField(event.target) || !(tabKey(event) || gridKey(view.grid, event) || letterKey(view, event))) return;
  taken(event);
}

function sendKey(view, event) {
  if (view.bar.contains(event.target)) automatic(view, { on: true });
  else if (view.answer.contains(event.target)) answer(view);
}

function escapeKey(view, event) {
  if (view.model.get("detail").end?.head) act(view, "discard");
  else if (view.answer.contains(event.target)) makeCurrent(view.grid, String(view.shown), { focus: true });
  else return false;
  return true;
}

function letterKey(view, event) {
  const act = { s: view.stop, d: view.frame }[event.key.toLowerCase()];
  if (!act || act.getAttribute("aria-disabled") === "true") return false;
  act.click();
  return true;
}

// ---------------------------------------------------------------- life

function paint(view) {
  const { model } = view;
  const [about, status] = [model.get("about"), model.get("status")];
  const name = view.head.querySelector(".kq-name");
  write(name, about.channel);
  name.title = about.channel;
  view.root.setAttribute("aria-label", about.label);
  paintState(view.state, status);
  counts(view.counts, status.counts);
  write(view.latency, status.latency);
  paintStop(view, status);
  const again = () => button({ name: "Try now", glyph: "redo", title: "Connect now", act: () => view.send("retry") });
  paintSaid(view, ...(status.note.head ? [[status.note, ...(status.state === "live" || status.state === "stopped" ? [] : [again])]] : []));
  paintAuto(view);
  paintWaiting(view);
  paintRequest(view);
  paintLog(view);
  paintFoot(view);
  tick(view);
}

function paintStop(view, { state }) {
  const stopped = state === "stopped";
  view.stop.dataset.verb = stopped ? "start" : "stop";
  rename(view.stop, stopped ? { name: "Start again", glyph: "play", title: "Take requests again (S)", look: "primary" }
    : { name: "Stop", glyph: "stop", title: "Take no more requests; those that wait can still be answered (S)" });
  if (state === "closed" || view.model.get("busy")) view.stop.setAttribute("aria-disabled", "true");
  else view.stop.removeAttribute("aria-disabled");
}

// Rows are not announced; how many wait is, now and then, and what became of one's own answer.
function announce(view) {
  const [{ of }, { spoken }] = [view.model.get("waiting"), view.model.get("status")];
  if (view.last !== spoken) {
    view.last = spoken;
    write(view.spoken, spoken);
  } else if (of > view.before && Date.now() - view.told > QUIET) {
    view.told = Date.now();
    write(view.spoken, `${of} ${of === 1 ? "request waits" : "requests wait"}`);
    view.before = of;
  }
  view.before = Math.min(view.before, of);
}

function tick(view) {
  paintLeft(view);
  paintOutage(view, view.model.get("status").outage);
  for (const node of view.grid.nodes.values()) paintTime(node);
  announce(view);
  const second = Math.floor(Date.now() / 1000);
  if (view.second === second && view.aged === view.logged) return;
  view.second = second;
  view.aged = view.logged;
  for (const node of view.lineNodes.values()) if (node.time !== null) write(node.firstChild, age(node.time));
}

function render({ model, el: host }) {
  const view = build(model);
  const end = live(view, host, { paint, onKey, tick, every: 100 });
  return () => { view.hand.flush(); end(); };
}

export default { render };
