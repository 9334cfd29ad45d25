// The send form: a pattern, its fields and a body; what became of the last message; those sent before.

const PATTERNS = [["queues", "Queue"], ["events", "Event"], ["events_store", "Event, stored"], ["commands", "Command"], ["queries", "Query"]];
const NOUNS = { queues: "queue", events: "events", events_store: "events store", commands: "commands", queries: "queries" };
const COLUMNS = [["#", "num"], ["sent", "num"], ["to", ""], ["body", "kq-p2"], ["what became of it", ""], ["took", "num kq-p3"], ["", "kq-do"]];

function build(model) {
  const view = { model, send: (what, more = {}) => model.send({ do: what, ...more }), chose: 0 };
  view.hand = handOf(view);
  view.head = buildHead(view);
  view.tabs = PATTERNS.map(([noun, name]) => tab(view, noun, name));
  view.notes = el("div");
  view.left = el("div");
  view.controls = [];
  view.made = new Map();
  view.body = bodyEditor({ typed: view.hand.type, format: () => act(view, "format") });
  view.panel = el("div", { class: "kq-form", role: "tabpanel", id: uniqueId() }, view.left, view.body.node);
  for (const node of view.tabs) node.setAttribute("aria-controls", view.panel.id);
  buildBar(view);
  view.result = el("div");
  buildHistory(view);
  view.foot = foot();
  view.root = el("section", { class: "kq", "aria-label": model.get("about").label }, view.head,
    el("div", { class: "kq-tabs", role: "tablist", "aria-label": "Pattern" }, ...view.tabs), view.notes, view.panel, view.bar,
    view.result, view.history, view.detail, view.foot.node);
  return view;
}

function buildHead(view) {
  view.state = el("span", { role: "status", hidden: true });
  view.readOnly = el("span", { class: "kq-badge", hidden: true }, icon("lock"), "read-only");
  view.clear = button({ name: "Clear", glyph: "clear", title: "Empty the form; pattern and channel stay", look: "quiet", act: () => act(view, "clear") });
  return el("header", { class: "kq-head" }, icon("send"), el("h3", { class: "kq-name plain" }, "Send"),
    el("span", { class: "kq-kind", title: view.model.get("about").kind }, view.model.get("about").kind), view.state, view.readOnly, el("div", { class: "kq-acts" }, view.clear));
}

function tab(view, noun, name) {
  const node = el("button", { type: "button", role: "tab", class: "kq-tab", id: uniqueId(), onclick: () => choose(view, noun) }, icon(noun), name);
  node.noun = noun;
  return node;
}

function buildBar(view) {
  view.go = button({ name: "Send", glyph: "send", title: "Send (Ctrl+Enter)", look: "primary", act: () => act(view, "send") });
  view.go.append(el("kbd", {}, "Ctrl Enter"));
  view.go.setAttribute("aria-keyshortcuts", "Control+Enter");
  view.go.dataset.verb = "send";
  view.hint = el("span", { class: "kq-hint grow", role: "status" });
  view.locked = el("span", { class: "kq-hint kq-lock grow", hidden: true }, icon("lock"), el("span"));
  view.bar = el("div", { class: "kq-bar kq-last" }, view.go, view.hint, view.locked);
}

function buildHistory(view) {
  view.grid = grid({ label: "Messages sent", blank: () => blankRow(view), fill: fillRow, open: (key) => open(view, Number(key)) });
  view.grid.thead.append(el("tr", {}, ...COLUMNS.map(([name, look]) => el("th", { scope: "col", class: look }, name || el("span", { class: "sr" }, "again")))));
  view.grid.node.classList.add("few");
  view.history = el("div", { class: "kq-pane", hidden: true }, view.grid.node);
  view.detail = el("div");
}

// ---------------------------------------------------------------- what a person does

// What acts on the form acts on what stands in it now.
function act(view, what, more = {}) {
  view.hand.flush();
  view.send(what, { turn: view.hand.sign(), ...more });
}

// The row of tabs is as it was left until the kernel has heard of it: an answer to the choice before takes no tab away.
function choose(view, noun) {
  markTab(view, noun);
  act(view, "choose", { noun });
  view.chose = view.hand.turns;
}

function open(view, number) {
  view.send("open", { number: view.model.get("detail").number === number ? null : number });
}

function again(view, number) {
  if (!view.model.get("busy") && !view.model.get("status").locked) view.send("again", { number });
}

function onKey(view, event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { if (!view.bar.hidden) act(view, "send"); taken(event); }
  else if (segmentKey(event)) taken(event);
  else if (!isField(event.target) && (tabKey(event) || closeKey(view, event) || rowKey(view, event) || gridKey(view.grid, event))) taken(event);
}

function closeKey(view, event) {
  if (event.key !== "Escape" || !view.model.get("detail").head) return false;
  close(view);
  return true;
}

function close(view) {
  view.send("open", { number: null });
  makeCurrent(view.grid, view.grid.current, { focus: true });
}

function rowKey(view, event) {
  if (!view.grid.tbody.contains(event.target)) return false;
  const number = Number(view.grid.current);
  const key = event.key.toLowerCase();
  if (key === "a") again(view, number);
  else if (key === "e") edit(view, number);
  else return false;
  return true;
}

function edit(view, number) {
  act(view, "load", { number });
  view.body.focus();
}

// ---------------------------------------------------------------- what the kernel says

function paint(view) {
  const { model } = view;
  paintHead(view, model.get("status"));
  paintSaid(view);
  paintTabs(view, model.get("fields"));
  const wrong = model.get("wrong");
  writeFields(view.hand, [...view.controls, view.body], { ...model.get("values"), body: model.get("body") });
  showWrong(view.controls, wrong.mistakes);
  paintBar(view, wrong);
  paintResult(view);
  paintHistory(view);
  paintDetail(view);
  paintFoot(view);
  lookAt(view, wrong);
  tick(view);
}

function paintHead(view, status) {
  show(view.state, Boolean(status.word));
  if (status.word) paintState(view.state, status);
  show(view.readOnly, status.read_only);
}

function paintTabs(view, fields) {
  const key = JSON.stringify(fields);
  if (view.fields === key || view.chose > view.hand.heard) return;
  view.fields = key;
  const focused = view.left.contains(document.activeElement) && document.activeElement;
  view.left.replaceChildren(...fields.rows.map((row) => controlRow(view, row)));
  if (focused?.isConnected) focused.focus();
  view.controls = fields.rows.flatMap((row) => row.made);
  markTab(view, fields.noun);
  const { name, waits } = fields.verb;
  Object.assign(view.go.dataset, { name, waits });
  view.go.setAttribute("aria-label", name);
  view.go.title = `${name} (Ctrl+Enter)`;
}

// At once, also while the kernel is busy: the row of tabs is one stop, at the one that is chosen.
function markTab(view, noun) {
  for (const node of view.tabs) {
    const chosen = node.noun === noun;
    node.setAttribute("aria-selected", String(chosen));
    node.setAttribute("tabindex", chosen ? "0" : "-1");
    if (chosen) view.panel.setAttribute("aria-labelledby", node.id);
  }
}

function controlRow(view, row) {
  row.made = row.controls.map((control) => controlOf(view, control));
  if (row.made.length === 1 && !row.legend && row.columns !== "three") return row.made[0].node;
  const cells = el("div", { class: `kq-cols ${row.columns}` }, ...row.made.map((control) => control.node));
  return row.legend ? el("fieldset", { class: "kq-field" }, el("legend", { class: "kq-label" }, row.legend), cells) : cells;
}

// What several patterns have in common stays the same control: text, caret and focus stay in it.
function controlOf(view, control) {
  const key = JSON.stringify(control);
  if (!view.made.has(key)) view.made.set(key, (control.kind === "tags" ? tagEditor : textField)({ ...control, typed: view.hand.type }));
  return view.made.get(key);
}

function paintBar(view, wrong) {
  const { locked } = view.model.get("status");
  show(view.go, !locked);
  show(view.locked, Boolean(locked));
  write(view.locked.lastChild, locked);
  show(view.hint, !locked);
  write(view.hint, wrong.hint);
  view.go.dataset.off = wrong.hint;
  paintBusy(view, [view.go]);
}

// Who wanted to send what cannot be read is shown where it is.
function lookAt(view, wrong) {
  if (!wrong.turn.startsWith(`${view.hand.id} `) || view.looked === wrong.turn) return;
  view.looked = wrong.turn;
  [...view.controls, view.body].find((control) => control.name === wrong.field)?.focus();
}

function paintResult(view) {
  const result = view.model.get("result");
  const { locked } = view.model.get("status");
  const key = JSON.stringify([result, locked]);
  if (view.told !== key) {
    const hadFocus = view.result.contains(document.activeElement);
    view.told = key;
    view.once = !result.head || locked ? null : verb(view, "again", { name: result.again, glyph: "resend", title: `${result.again}, with an id of its own`, look: "quiet", waits: view.model.get("fields").verb.waits }, () => ({ number: result.number }));
    view.result.replaceChildren(...(result.head ? told(view, result) : []));
    if (hadFocus) view.once?.focus();
  }
  if (view.once) paintBusy(view, [view.once]);
}

// An answer that was executed has its own line; all else is a notice, with the body of a refusal below.
function told(view, result) {
  const { answer } = result;
  const acts = view.once ? [view.once] : [];
  if (answer.executed) return [answerPane(answer, ...acts)];
  const notice = note(result, ...acts);
  return answer.body ? [notice, answerPane(answer)] : [notice];
}

function answerPane(answer, ...acts) {
  const state = el("span", { role: "status" });
  paintState(state, { word: answer.word, tone: answer.executed ? "good" : "warn", icon: answer.executed ? "good" : "alert" });
  const cached = answer.cached ? [el("span", { class: "kq-badge" }, icon("events_store"), "from the cache")] : [];
  const said = el("span", { class: "sr", role: "status" });
  const copy = button({ name: "Copy answer", glyph: "copy", title: "Copy answer", look: "icon quiet", bare: true, act: () => copyText(answer.body, said) });
  const beside = answer.metadata ? [el("span", { class: "kq-kind cut", title: answer.metadata }, answer.metadata)] : [];
  const tags = answer.tags.length ? [el("div", { class: "kq-chips" }, ...answer.tags.map(chip))] : [];
  const body = answer.body ? [el("pre", { class: "kq-pre kq-answer", tabindex: 0, role: "region", "aria-label": "Answer" }, answer.body)] : [];
  const line = el("div", { class: "kq-said" }, state, ...cached, el("span", { class: "kq-kind cut", title: answer.about }, answer.about), ...beside, said,
    el("div", { class: "kq-acts" }, ...acts, ...(answer.body ? [copy] : [])));
  return el("div", { class: "kq-pane kq-pad kq-gap8" }, line, ...tags, ...body);
}

// ---------------------------------------------------------------- those sent before

function paintHistory(view) {
  const { rows } = view.model.get("history");
  show(view.history, rows.length > 0);
  view.grid.selected = String(view.model.get("detail").number ?? "");
  setRows(view.grid, rows.map((row) => ({ ...row, key: String(row.number), locked: view.model.get("status").locked })));
}

function blankRow(view) {
  const cells = COLUMNS.map(([, look]) => el("td", { class: look }));
  const node = el("tr", {}, ...cells);
  node.name = el("span", { class: "mono cut" });
  node.mark = el("span", { class: "dim" });
  cells[2].className = "kq-to";
  cells[2].append(el("span", { class: "kq-line" }, node.mark, node.name));
  cells[3].className = "rest body kq-p2";
  cells[4].className = "field";
  cells[5].classList.add("dim");
  node.act = button({ name: "Send again", glyph: "resend", title: "Send again", look: "icon quiet", bare: true, act: (event) => { event.stopPropagation(); again(view, Number(node.dataset.key)); } });
  node.act.tabIndex = -1; // A does it
  cells[6].append(node.act);
  return node;
}

function fillRow(node, row) {
  const key = JSON.stringify(row);
  if (node.dataset.row === key) return;
  node.dataset.row = key;
  const [number, at, , body, what, took] = node.children;
  write(number, row.number.toLocaleString("en"));
  at.title = utc(row.at);
  node.at = row.at;
  paintAge(node);
  node.mark.replaceChildren(icon(row.noun), el("span", { class: "sr" }, NOUNS[row.noun]));
  node.mark.title = NOUNS[row.noun];
  write(node.name, row.channel);
  node.name.title = row.channel;
  write(body, row.body);
  body.title = `${row.body} (${row.size})`;
  what.replaceChildren(el("span", { class: `kq-state ${row.tone}` }, icon(row.icon), el("span", { class: "cut", title: row.outcome }, row.outcome)));
  write(took, row.took);
  node.act.title = `${row.again} (A)`;
  node.act.setAttribute("aria-label", `${row.again}: message ${row.number}`);
  show(node.act, !row.locked);
}

function paintAge(node) {
  write(node.children[1], age(node.at));
}

function paintDetail(view) {
  const [detail, { locked }] = [view.model.get("detail"), view.model.get("status")];
  const key = JSON.stringify([detail, locked]);
  if (view.shown === key) return;
  const hadFocus = view.detail.contains(document.activeElement);
  view.shown = key;
  view.parts = null;
  view.detail.replaceChildren(...(detail.head ? [sentPane(view, detail, locked)] : []));
  if (hadFocus) view.detail.querySelector("button")?.focus();
}

function sentPane(view, detail, locked) {
  const repeat = button({ name: detail.again, glyph: "resend", title: `${detail.again}, with an id of its own (A)`, look: "", act: () => again(view, detail.number) });
  const change = button({ name: "Edit", glyph: "edit", title: "Put it into the form, to be changed and sent (E)", look: "quiet", act: () => edit(view, detail.number) });
  const shut = button({ name: "Close (Esc)", glyph: "close", title: "Close (Esc)", look: "icon quiet", bare: true, act: () => close(view) });
  const facts = el("dl", { class: "kq-dl" }, ...detail.facts.flatMap(([name, text]) => [el("dt", {}, name), el("dd", { class: "mono" }, text)]));
  const pre = (text, label) => el("pre", { class: "kq-pre kq-answer", tabindex: 0, role: "region", "aria-label": label }, text);
  const parts = [
    el("p", { class: `kq-say ${detail.tone}` }, icon(detail.icon), el("span", {}, ...prose(detail.said))),
    ...(detail.tags.length ? [el("div", { class: "kq-chips" }, ...detail.tags.map(chip))] : []),
    ...(detail.decoded ? [pre(detail.decoded, "Body that was sent")] : []),
    ...(detail.answer.body ? [pre(detail.answer.body, "Answer to it")] : []),
    ...(detail.facts.length ? [facts] : []),
  ];
  return el("div", { class: "kq-pane", role: "group", "aria-label": detail.head },
    el("div", { class: "kq-pane-head" }, icon(detail.noun), el("h4", {}, detail.head), el("span", { class: "kq-kind cut", title: detail.about }, detail.about),
      el("div", { class: "kq-acts" }, ...(locked ? [] : [repeat]), change, shut)),
    el("div", { class: "kq-pad kq-card" }, ...parts));
}

// ---------------------------------------------------------------- life

function tick(view) {
  for (const node of view.grid.nodes.values()) paintAge(node);
}

function render({ model, el: host }) {
  return live(build(model), host, { paint, onKey, tick, every: 1000 });
}

export default { render };
