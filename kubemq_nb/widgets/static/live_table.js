// The live table of a feed, and the log of a responder: status line, bar, rows, and the row that is open.

const SPOKEN_EVERY = 5; // seconds between two readings of the counts to a screen reader

function build(model) {
  const view = { model, seconds: 0, followed: 0, send: (what, more = {}) => model.send({ do: what, ...more }) };
  view.hand = turnsOf(view);
  const about = model.get("about");
  buildActions(view);
  buildBar(view);
  view.status = buildStatus();
  view.state = view.status.state;
  view.notes = el("div");
  view.unseen = el("div");
  view.detail = el("div");
  view.child = childPane();
  view.foot = foot();
  view.spoken = el("div", { class: "sr", role: "status" });
  view.root = el("section", { class: "kq", "aria-label": about.label }, head(about, view.acts), view.status.node, view.notes, view.bar,
    buildRows(view, about), view.unseen, view.detail, view.child, view.foot.node, view.spoken);
  return view;
}

function buildActions(view) {
  view.retry = verb(view, "retry", { name: "Try again", glyph: "redo", title: "Connect again", waits: "Connecting", look: "primary" });
  view.again = verb(view, "restart", { name: "Start again", glyph: "redo", title: "Begin again where Start says", waits: "Starting" }, () => chosenStart(view));
  view.pause = button({ name: "Pause", glyph: "pause", title: "Pause (P)", act: () => view.send(view.model.get("status").state === "paused" ? "resume" : "pause") });
  view.stop = button({ name: "Stop", glyph: "stop", title: "Stop and release the subscription (S)", act: () => view.send("stop") });
  view.clear = button({ name: "Clear", glyph: "clear", title: "Clear what is held here; the channel is untouched (C)", look: "quiet", act: () => view.send("clear") });
  view.frame = button({ name: "To DataFrame", glyph: "frame", title: "Put the held rows in a variable (D)", look: "quiet", act: () => view.send("frame") });
  view.acts = [view.retry, view.again, view.pause, view.stop, view.clear, view.frame];
}

function buildBar(view) {
  view.search = searchField(view, { placeholder: "Filter held rows", name: "Filter held rows", typed: () => view.paint() }); // what is here is narrowed at once
  view.wrong = el("p", { class: "kq-hint bad", role: "alert", id: uniqueId(), hidden: true });
  view.start = startPicker(view);
  view.follow = el("input", { type: "checkbox", onchange: () => follow(view, view.follow.checked) });
  view.bar = el("div", { class: "kq-bar" }, ...(view.start ? [view.start.node] : []),
    el("label", { class: "kq-find" }, icon("search"), view.search.node), el("label", { class: "kq-check" }, view.follow, "Follow tail"), view.wrong);
}

function buildStatus() {
  const parts = { state: el("span", { role: "status" }), counts: el("dl", { class: "kq-counts" }), spark: spark(), ended: el("span", { class: "kq-rate kq-kind" }) };
  parts.figure = el("b");
  parts.unit = el("span", { class: "dim" });
  parts.rate = el("span", { class: "kq-rate" }, parts.spark.node, el("span", {}, parts.figure, " ", parts.unit));
  parts.node = el("div", { class: "kq-status" }, parts.state, parts.counts, parts.rate, parts.ended);
  return parts;
}

// ---------------------------------------------------------------- what a person does

function open(view, number) {
  view.send("open", { number: view.model.get("detail").number === number ? null : number });
}

function onKey(view, event) {
  if (view.start?.node.contains(event.target)) return void startKey(view, event);
  const done = event.target === view.search.node ? searchKey(view, event) : tableKey(view, event) || letterKey(view, event);
  if (done) taken(event);
}

function searchKey(view, event) {
  if (event.key !== "Escape") return false;
  view.search.clear();
  return true;
}

// Fields and radios have their own keys, and Lab must not hear letters that are typed here.
function startKey(view, event) {
  event.stopImmediatePropagation();
  if (event.key === "Enter") view.again.click();
}

function tableKey(view, event) {
  if (event.key === "Escape" && view.model.get("detail").head) return closeDetail(view);
  if (!view.tbody.contains(event.target)) return false;
  if (event.key === "Enter") open(view, view.current);
  else if (event.key in STEPS) step(view, STEPS[event.key]);
  else return false;
  return true;
}

function letterKey(view, event) {
  const act = { p: () => view.pause.click(), s: () => view.stop.click(), c: () => view.clear.click(), d: () => view.frame.click(),
    f: () => follow(view, !view.follow.checked), "/": () => view.search.node.focus() }[event.key.toLowerCase()];
  if (!act || event.shiftKey) return false;
  act();
  return true;
}

function closeDetail(view) {
  view.send("open", { number: null });
  setCurrent(view, view.current, { focus: true });
  return true;
}

// ---------------------------------------------------------------- what the kernel says

function paint(view) {
  const { model } = view;
  const status = model.get("status");
  const tryNow = () => button({ name: "Try now", glyph: "redo", title: "Connect now, without the pause between attempts", act: () => view.send("retry") });
  paintStatus(view, status);
  paintSaid(view, ...(status.note ? [[status.note, ...(status.state === "reconnecting" ? [tryNow] : [])]] : []));
  paintChoices(view, model.get("choices"));
  paintTable(view, model.get("table"));
  paintOutage(view, status.outage);
  paintUnseen(view, status);
  paintDetail(view, model.get("detail"));
  paintChild(view);
  paintFoot(view);
}

function paintStatus(view, status) {
  const parts = view.status;
  paintState(parts.state, status);
  counts(parts.counts, status.counts);
  drawSpark(parts.spark, status.rates);
  write(parts.figure, status.rate);
  write(parts.unit, status.unit);
  paintButtons(view, status.state);
  paintBusy(view, [view.retry, view.again]);
  paintEnded(view);
}

function paintEnded({ model, status: { rate, ended } }) {
  const { state, changed } = model.get("status");
  show(rate, state !== "stopped");
  show(ended, state === "stopped");
  if (state !== "stopped") return;
  write(ended, `stopped ${ago(changed)}, ran ${span((changed - model.get("about").since) / 1000).replace("now", "less than 1 s")}`);
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

function paintChoices(view, choices) {
  paintSearch(view.search, choices.filter);
  if (view.followed <= view.hand.heard) view.follow.checked = choices.follow;
  if (view.start) paintStart(view.start, choices);
  const wrong = choices.wrong_filter || choices.wrong_start || "";
  write(view.wrong, wrong);
  show(view.wrong, Boolean(wrong));
  invalid(view.search.node, choices.wrong_filter, view.wrong.id);
  if (view.start) invalid(view.start.field, choices.wrong_start, view.wrong.id);
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

// ---------------------------------------------------------------- the open row

function paintDetail(view, detail) {
  if (view.opened === detail) return;
  view.opened = detail;
  view.detail.replaceChildren(...(detail.head ? [detailPane(view, detail)] : []));
}

function detailPane(view, detail) {
  const said = el("span", { class: "sr", role: "status" });
  const copy = copyBody(detail, said, { name: "Copy", look: "quiet" });
  const again = button({ name: "Send again…", glyph: "resend", title: "Send again, changed or not", act: () => view.send("form", { number: detail.number }) });
  const close = button({ name: "Close (Esc)", glyph: "close", title: "Close (Esc)", look: "icon quiet", bare: true, act: () => closeDetail(view) });
  return el("div", { class: "kq-pane" },
    el("div", { class: "kq-pane-head" }, el("h4", {}, detail.head), el("span", { class: "kq-kind" }, detail.about), said,
      el("div", { class: "kq-acts" }, copy, ...(view.model.get("about").can_send ? [again] : []), close)),
    el("div", { class: "kq-pad kq-open" }, el("pre", { class: "kq-pre", tabindex: 0, "aria-label": "Body" }, detail.body),
      ...(detail.answer === null ? [] : [el("pre", { class: "kq-pre", tabindex: 0, "aria-label": "Answer" }, detail.answer)]), facts(detail)));
}

function facts(detail) {
  const pairs = detail.facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", { class: "mono" }, value)]);
  const tags = detail.tags.map(chip);
  return el("dl", { class: "kq-dl" }, ...pairs, ...(tags.length ? [el("dt", {}, "tags"), el("dd", {}, ...tags)] : []));
}

// ---------------------------------------------------------------- life

function tick(view) {
  paintAges(view);
  paintEnded(view);
  paintOutage(view, view.model.get("status").outage);
  view.seconds += 1;
  if (view.seconds % SPOKEN_EVERY) return;
  const { counts: [received, , dropped] } = view.model.get("status");
  write(view.spoken, `${received[1]} received, ${dropped[1]} dropped`);
}

// Ages would go on growing, and nothing is left that a button could do.
function gone(view) {
  view.clock = true;
  paintAges(view);
  for (const node of [...view.acts, view.wrong, view.status.rate, view.status.ended]) show(node, false);
  view.unseen.replaceChildren();
}

function render({ model, el: host }) {
  return live(build(model), host, { paint, onKey, tick, every: 1000, gone });
}

export default { render };
