// The life of a view: it paints once a frame when the kernel wrote something, ticks, and hears keys.

function live(view, host, { paint, onKey, tick, every, gone = () => {} }) {
  view.paint = oncePerFrame(() => paint(view));
  const keys = (event) => {
    if (!isOurs(view, event)) return;
    if (movesRadios(event)) event.stopImmediatePropagation(); // the browser's own doing, which Lab would take
    else onKey(view, event);
  };
  const clock = setInterval(() => tick(view), every);
  const forget = whenKernelGoes(view.model, host, () => { clearInterval(clock); view.send = () => {}; paintGone(view); gone(view); });
  host.append(view.root);
  window.addEventListener("keydown", keys, true);
  view.model.on("change", view.paint);
  view.paint();
  return () => {
    forget();
    clearInterval(clock);
    clearTimeout(view.typing);
    view.hand?.end();
    view.search?.hand.send();
    view.start?.hand.send();
    window.removeEventListener("keydown", keys, true);
    view.model.off("change", view.paint);
    view.childView?.remove();
  };
}

// Who acts here, turn by turn. Until the kernel has heard of a turn, what it says of that choice is older than the
// choice, however often it says it: a cell that runs lets it hear nothing, and rows go on coming.
function turnsOf(view) {
  const hand = { id: uniqueId(), turns: 0, heard: 0 };
  const listen = () => {
    const [id, turn] = view.model.get("heard").split(" ");
    if (id === hand.id) hand.heard = Number(turn);
  };
  hand.sign = () => { hand.turns += 1; return `${hand.id} ${hand.turns}`; };
  hand.end = () => view.model.off("change:heard", listen);
  view.model.on("change:heard", listen);
  return hand;
}

// The kernel is gone and with it what this shows: it stays to be read, and says so.
function paintGone(view) {
  const { as_of } = view.model.get("status") ?? {};
  const when = as_of ? `As of ${utc(as_of).slice(0, 19)} UTC.` : "No kernel.";
  if (view.state) paintState(view.state, { word: "no kernel", tone: "off", icon: "plug" });
  view.notes.replaceChildren(note({ icon: "info", head: when, rest: "The kernel that showed this is gone. Run the cell to see it live." }));
  for (const node of view.root.querySelectorAll("button:not([role=tab]), input, select, textarea")) {
    if (!node.closest(".kq-foot") && node.closest(".kq") === view.root) node.disabled = true;
  }
}

// Keys of a view inside this one are its own; those with a modifier are the notebook's, but for Ctrl+Enter.
function isOurs(view, event) {
  const isSend = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (!isSend && (event.ctrlKey || event.metaKey || event.altKey)) return false;
  return event.target instanceof Element && event.target.closest(".kq") === view.root;
}

function isField(node) {
  return node.matches("input:not([type=checkbox]), textarea, select");
}

function movesRadios({ target, key }) {
  return target.type === "radio" && key.startsWith("Arrow");
}

// Lab listens for its shortcuts in the capture phase of the document, so a key of ours is taken before that.
function taken(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

// What the kernel has to say of the last action, until it is closed.
function paintSaid(view, ...others) {
  const said = view.model.get("said");
  const key = JSON.stringify([said, others]);
  if (view.noted === key) return;
  view.noted = key;
  const close = () => button({ name: "Close", title: "Close", glyph: "close", look: "icon quiet", bare: true, act: () => view.send("dismiss") });
  const notes = others.map(([notice, ...acts]) => note(notice, ...acts.map((act) => act())));
  view.notes.replaceChildren(...notes, ...(said.head ? [note(said, close())] : []));
}

// What is told of a broker that is away ticks: since when, which attempt, when the next. Nobody reads it out each time.
function paintSince(view, text) {
  const node = view.notes.querySelector(":scope > .kq-note > p > .kq-since");
  if (node) write(node, text);
}

function ago(milliseconds) {
  const since = age(milliseconds);
  return since === "now" ? "just now" : `${since} ago`;
}

function attempts({ attempt, next_at: next }) {
  const wait = Math.ceil((next - Date.now()) / 1000);
  return `Attempt ${attempt}, ${wait > 0 ? `next in ${wait} s` : "trying now"}.`;
}

function paintOutage(view, outage) {
  if (outage.since) paintSince(view, `Lost ${ago(outage.since)}. ${attempts(outage)}`);
}

function paintFoot(view) {
  const { code, held } = view.model.get("foot");
  write(view.foot.code, code);
  view.foot.code.title = code;
  if (held) write(view.foot.held, held);
}

function paintState(node, { word, tone, icon: glyph }) {
  if (node.dataset.word === word) return;
  node.dataset.word = word;
  node.className = `kq-state ${tone}`;
  node.replaceChildren(icon(glyph), word);
}

// A button of a call: `waits` is its word while the broker is asked.
function verb(view, name, { waits, ...options }, more = () => ({})) {
  const node = button({ ...options, act: () => { if (node.getAttribute("aria-disabled") !== "true") view.send(name, more()); } });
  node.dataset.verb = name;
  node.dataset.name = options.name;
  node.dataset.waits = waits ?? options.name;
  return node;
}

// A button that waits for the broker says so; the others wait with it.
function paintBusy(view, nodes) {
  const busy = view.model.get("busy");
  for (const node of nodes) {
    write(node.querySelector(".word"), node.dataset.verb === busy ? node.dataset.waits : node.dataset.name);
    if (busy || node.dataset.off) node.setAttribute("aria-disabled", "true");
    else node.removeAttribute("aria-disabled");
  }
}

// What the arrow keys do in a row of tabs; whether they did something.
function tabKey(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || event.target.role !== "tab") return false;
  const tabs = [...event.target.parentNode.children];
  const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
  next.click();
  next.focus();
  return true;
}
