// The time scrubber: bars over a slider, steps both ways, the event at its place and the state after it.

const SHAPES = [["first", "First (Home)"], ["back", "Back one (Left)"], ["forward", "Forward one (Right)"], ["last", "Last (End)"]];
const STEPPING = [1, 10, 100, 1000];
const TICKS = [0, 0.25, 0.5, 0.75, 1];
const [SECOND, HOUR, DAY] = [1000, 3_600_000, 86_400_000];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const PATIENCE = 2000; // ms after which a move that was not answered is given up

function build(model) {
  const view = { model, pending: null, turn: "", send: (what, more = {}) => model.send({ do: what, ...more }) };
  const about = model.get("about");
  buildActions(view);
  view.state = el("span", { role: "status", class: "kq-state" });
  view.progress = el("progress", { class: "big", "aria-label": "Reading the store" });
  view.counts = el("dl", { class: "kq-counts" });
  view.reading = el("div", {}, el("div", { class: "kq-status" }, view.state, view.counts), el("div", { class: "kq-pad" }, view.progress, el("p", { class: "kq-hint" }, "You can move the slider over what is read already.")));
  view.notes = el("div");
  view.copied = el("span", { class: "sr", role: "status" });
  view.track = buildTrack(view);
  view.bar = buildBar(view);
  view.compared = el("dl", { class: "kq-counts" });
  view.between = el("div", { class: "kq-status" }, view.compared);
  view.panes = el("div");
  view.child = childPane();
  view.foot = foot();
  view.root = el("section", { class: "kq", "aria-label": about.label }, head(about, [view.pin, view.swap, view.unpin, view.frame, view.stop]),
    view.reading, view.track.node, view.bar, view.notes, view.between, view.panes, view.child, view.copied, view.foot.node);
  return view;
}

function buildActions(view) {
  view.pin = button({ name: "Pin as A", glyph: "pin", title: "Pin this position to compare (A)", act: () => view.send("pin") });
  view.swap = button({ name: "Swap", glyph: "redo", title: "Let A and B change places", look: "quiet", act: () => view.send("swap") });
  view.unpin = button({ name: "Unpin A", glyph: "close", title: "Compare no more (A)", look: "quiet", act: () => view.send("unpin") });
  view.frame = button({ name: "To DataFrame", glyph: "frame", title: "Put the events up to here in a variable (D)", look: "quiet", act: () => view.send("frame") });
  view.stop = button({ name: "Stop", glyph: "stop", title: "Read no more", act: () => view.send("stop") });
}

function buildTrack(view) {
  const bars = svg("svg", { class: "bars", preserveAspectRatio: "none", role: "img", "aria-label": "Events along the axis" });
  const [a, b] = [el("span", { class: "kq-pin" }, "A"), el("span", { class: "kq-pin" }, "B")];
  const pins = el("div", { class: "kq-pins" }, a, b);
  const slider = el("input", { type: "range", "aria-label": "Position", oninput: () => move(view, "move", { to: Number(slider.value), of: "slider" }) });
  const ticks = TICKS.map(() => el("span"));
  return { node: el("div", { class: "kq-pane kq-track" }, pins, el("div", {}, bars), slider, el("div", { class: "kq-axis" }, ...ticks)), bars, pins, a, b, slider, ticks };
}

function buildBar(view) {
  const acts = [() => move(view, "move", { to: 0 }), () => step(view, -1), () => step(view, 1), () => move(view, "move", { to: view.model.get("position").last })];
  const shapes = SHAPES.map(([glyph, name], place) => button({ name, glyph, title: name, look: "icon", bare: true, act: acts[place] }));
  view.steps = el("select", { class: "kq-select", onchange: () => view.send("steps", { step: Number(view.steps.value) }) },
    ...STEPPING.map((count) => el("option", { value: count }, count === 1 ? "1 event" : `${count.toLocaleString("en")} events`)));
  view.sequence = el("input", { class: "kq-input num", inputmode: "numeric", onchange: () => typed(view) });
  view.sequence.style.width = "80px";
  view.of = el("span");
  view.time = el("input", { class: "kq-input", placeholder: "2013-01-31 23:59", title: "A time in UTC", onchange: () => view.send("time", { text: view.time.value }) });
  view.time.style.width = "176px";
  view.by = el("select", { class: "kq-select", onchange: () => view.send("axis", { axis: view.by.value }) });
  const unit = (name, ...nodes) => el("label", { class: "kq-unit" }, el("span", {}, name), ...nodes);
  return el("div", { class: "kq-bar", role: "group", "aria-label": "Position" }, el("div", { class: "kq-steps" }, ...shapes),
    unit("Step", view.steps), unit("Sequence", view.sequence, view.of), unit("Time", view.time), unit("Axis", view.by));
}

// ---------------------------------------------------------------- what a person does

function typed(view) {
  const sequence = Number(view.sequence.value.replace(/[,\s]/g, ""));
  if (Number.isInteger(sequence)) move(view, "move", { to: sequence });
  else view.paint();
}

function step(view, by) {
  move(view, "step", { count: by });
}

// One move at a time is under way; of those that come meanwhile the last one counts, but steps add up.
function move(view, what, more) {
  const before = view.pending;
  view.pending = what === "step" && before?.what === "step" ? { what, more: { count: before.more.count + more.count } } : { what, more };
  if (!view.waiting) sendMove(view);
}

function sendMove(view) {
  const { what, more } = view.pending;
  view.pending = null;
  view.turn = uniqueId();
  view.send(what, { ...more, turn: view.turn });
  view.waiting = setTimeout(() => arrived(view), PATIENCE);
}

function arrived(view) {
  clearTimeout(view.waiting);
  view.waiting = 0;
  if (view.pending) sendMove(view);
}

function onKey(view, event) {
  const isSlider = event.target === view.track.slider;
  if (event.target.matches("select") || (isField(event.target) && !isSlider)) return void event.stopImmediatePropagation();
  const stepping = view.model.get("choices").step;
  const act = {
    ArrowLeft: () => step(view, event.shiftKey ? -10 : -1), ArrowRight: () => step(view, event.shiftKey ? 10 : 1),
    PageUp: () => step(view, -stepping), PageDown: () => step(view, stepping),
    Home: () => move(view, "move", { to: 0 }), End: () => move(view, "move", { to: view.model.get("position").last }),
    a: () => view.send(view.model.get("position").pinned === null ? "pin" : "unpin"), d: () => view.frame.click(),
  }[event.key];
  if (!act) return;
  act();
  taken(event);
}

// ---------------------------------------------------------------- what the kernel says

function paint(view) {
  const { model } = view;
  const [reading, position, table] = [model.get("reading"), model.get("position"), model.get("table")];
  if (view.waiting && position.turn === view.turn && !model.get("busy")) arrived(view);
  paintReading(view, reading);
  const failure = model.get("failure");
  const copy = () => button({ name: "Copy traceback", glyph: "copy", title: "Copy the traceback", look: "quiet", act: () => copyText(failure.traceback, view.copied) });
  paintSaid(view, ...(reading.note ? [[{ tone: "bad", icon: "bad", head: reading.note }]] : []), ...(failure.head ? [[failure, copy]] : []));
  paintTrack(view, model.get("axis"), position);
  paintBar(view, position, model.get("axis"), model.get("choices").step);
  paintActions(view, position, reading);
  paintPanes(view, position, table);
  paintChild(view);
  paintFoot(view);
}

function paintReading(view, { state, look, read, expected }) {
  paintState(view.state, look);
  show(view.reading, state === "reading");
  view.progress.max = Math.max(expected, 1);
  view.progress.value = read;
  counts(view.counts, [["read", read.toLocaleString("en")], ["of", expected.toLocaleString("en")]]);
}

function paintActions(view, { pinned }, { state }) {
  show(view.pin, pinned === null);
  show(view.swap, pinned !== null);
  show(view.unpin, pinned !== null);
  show(view.stop, state === "reading");
}

function paintTrack(view, axis, position) {
  const { bars, slider, pins, a, b, ticks } = view.track;
  const share = (value) => (axis.high > axis.low ? (value - axis.low) / (axis.high - axis.low) : 0);
  if (!view.waiting || document.activeElement !== slider) Object.assign(slider, { min: axis.low, max: axis.high, step: Number.isInteger(axis.low) && Number.isInteger(axis.high) ? 1 : "any", value: axis.here });
  slider.style.setProperty("--at", `${100 * share(Number(slider.value))}%`);
  slider.setAttribute("aria-valuetext", position.sequence ? `after event ${position.sequence}` : "before the first event");
  drawBars(bars, axis.bars, share(axis.here));
  show(pins, axis.pin !== null);
  a.style.left = `calc(8px + (100% - 16px) * ${share(axis.pin ?? 0)})`;
  b.style.left = `calc(8px + (100% - 16px) * ${share(axis.here)})`;
  const marks = axis.high > axis.low ? TICKS.map((part) => mark(axis, axis.low + part * (axis.high - axis.low), !part)) : ["", "", "", "", ""];
  marks.forEach((text, place) => write(ticks[place], text));
}

// A mark on the axis is as fine as the axis is long; the first one has the year.
function mark({ is_time, by, low, high }, value, isFirst) {
  if (by === "sequence") return Math.round(value).toLocaleString("en");
  if (!is_time) return value.toLocaleString("en", { maximumSignificantDigits: 6 });
  const [text, span] = [utc(value), high - low];
  const day = `${Number(text.slice(8, 10))} ${MONTHS[Number(text.slice(5, 7)) - 1]}${isFirst || utc(low).slice(0, 4) !== text.slice(0, 4) ? ` ${text.slice(0, 4)}` : ""}`;
  if (span >= 4 * DAY) return day;
  const clock = text.slice(11, span >= 4 * HOUR ? 16 : span >= 20 * SECOND ? 19 : 23);
  return isFirst || span >= DAY / 2 ? `${day} ${clock}` : clock;
}

function drawBars(node, bars, here) {
  const top = Math.max(...bars, 1);
  node.setAttribute("viewBox", `0 0 ${Math.max(bars.length, 1)} 56`);
  while (node.children.length < bars.length) node.append(svg("rect", { width: 0.8 }));
  bars.forEach((count, place) => {
    const [bar, height] = [node.children[place], count ? Math.max((47 * count) / top, 1) : 0];
    bar.setAttribute("class", (place + 0.5) / bars.length <= here ? "s-bar past" : "s-bar");
    for (const [key, value] of Object.entries({ x: place + 0.1, y: 56 - height, height })) bar.setAttribute(key, value);
  });
}

function paintBar(view, { sequence, last, time }, axis, stepping) {
  const set = (node, value) => { if (document.activeElement !== node) node.value = value; };
  set(view.sequence, sequence.toLocaleString("en"));
  const shown = axis.is_time && sequence ? axis.here : time;
  set(view.time, shown ? utc(shown).slice(0, 19) : "");
  const names = JSON.stringify(axis.names);
  if (view.names !== names) view.by.replaceChildren(...axis.names.map(({ name, label }) => el("option", { value: name }, label)));
  view.names = names;
  set(view.by, axis.by);
  set(view.steps, stepping);
  write(view.of, `of ${last.toLocaleString("en")}`);
}

function paintPanes(view, position, table) {
  const key = JSON.stringify([position, table, view.model.get("about").can_send]);
  if (view.shown === key) return;
  view.shown = key;
  show(view.between, table.compare);
  if (table.compare) counts(view.compared, [["A", position.pinned.toLocaleString("en")], ["B", position.sequence.toLocaleString("en")], ["events between", Math.abs(table.between).toLocaleString("en")]]);
  if (table.compare && position.fold) view.panes.replaceChildren(statePane(table, "State at A and at B"));
  else if (position.fold) view.panes.replaceChildren(el("div", { class: "kq-split even flush" }, eventPane(view, position), el("div", { class: "kq-pane" }, paneHead(after("State", position), position.fold), statePane(table, "State"))));
  else view.panes.replaceChildren(eventPane(view, position));
}

function after(what, { sequence }) {
  return sequence ? `${what} after event ${sequence.toLocaleString("en")}` : `${what} before the first event`;
}

function paneHead(title, more, tip) {
  return el("div", { class: "kq-pane-head" }, el("h4", {}, title), el("span", { class: "kq-kind cut", title: tip ?? more }, more));
}

function eventPane(view, position) {
  if (!position.sequence) return el("div", { class: "kq-pane" }, el("div", { class: "kq-empty" }, icon("events_store"), el("h4", {}, position.last ? "Before the first event" : "Nothing is stored")));
  const stored = `stored ${ago(position.time)}, ${position.size}`;
  const again = () => button({ name: "Send again…", glyph: "resend", title: "Send this event again, changed or not", look: "quiet", act: () => view.send("form") });
  return el("div", { class: "kq-pane" }, paneHead(`Event ${position.sequence.toLocaleString("en")}`, stored, utc(position.time)),
    el("div", { class: "kq-pad kq-open" }, el("pre", { class: "kq-pre", tabindex: 0, "aria-label": "Body" }, position.body),
      ...(view.model.get("about").can_send ? [el("div", { class: "kq-acts" }, again())] : [])));
}

function statePane({ columns, rows, compare, keys }, label) {
  if (!rows.length) return el("div", { class: "kq-empty" }, el("h4", {}, "No state yet"));
  const number = (column) => (column.number ? "num" : "");
  const groups = compare ? [el("tr", { class: "group" }, el("td"), ...columns.map((column) => el("th", { scope: "colgroup", colspan: 3 }, el("span", {}, column.label))))] : [];
  const names = columns.flatMap((column) => (compare ? ["A", "B", "change"] : [column.label]).map((name) => el("th", { scope: "col", class: number(column) }, name)));
  const lines = rows.map((row) => {
    const cells = row.cells.map((text, place) => {
      const column = columns[compare ? Math.floor(place / 3) : place];
      const side = compare ? place % 3 : 1;
      return el("td", { class: `${number(column)} ${side === 0 ? "dim" : ""} field`, title: text }, side === 2 ? el("b", {}, text) : text);
    });
    return el("tr", { class: row.new ? "new" : "" }, el("td", { class: "field", title: row.key }, ...(row.new ? [el("span", { class: "sr" }, "changed, ")] : []), row.key), ...cells);
  });
  const more = keys > rows.length ? [el("p", { class: "kq-hint kq-pad" }, `${rows.length} of ${keys.toLocaleString("en")} keys are shown; the state has them all.`)] : [];
  return el("div", { class: "kq-scroll tall", tabindex: 0, role: "region", "aria-label": label },
    el("table", { class: "kq-table", "aria-label": label }, el("thead", {}, ...groups, el("tr", {}, el("th", { scope: "col" }, "key"), ...names)), el("tbody", {}, ...lines)), ...more);
}

function render({ model, el: host }) {
  return live(build(model), host, { paint, onKey, tick: () => {}, every: 1000 });
}

export default { render };
