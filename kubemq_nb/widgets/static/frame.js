// What every view is made of: elements, icons, buttons, the frame with its head and foot, figures and ages.
// Data goes in by textContent alone: nothing here or in a view parses markup.

const SVG = "http://www.w3.org/2000/svg";

// 16 px grid, 1.5 px stroke; "f" marks a filled shape.
const DOT = (y, r) => ["circle", { cx: 8, cy: y, r, f: 1 }];
const ICONS = {
  queues: [["path", { d: "M2 9h3.4l1 2h3.2l1-2H14M2 9v3.5a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V9M4 6h8M5.5 3h5" }]],
  events: [DOT(8, 1.75), ["path", { d: "M5 5a4.2 4.2 0 0 0 0 6M11 5a4.2 4.2 0 0 1 0 6M2.8 2.8a7.4 7.4 0 0 0 0 10.4M13.2 2.8a7.4 7.4 0 0 1 0 10.4" }]],
  events_store: [["ellipse", { cx: 8, cy: 4, rx: 5, ry: 2 }], ["path", { d: "M3 4v8c0 1.1 2.2 2 5 2s5-.9 5-2V4M3 8c0 1.1 2.2 2 5 2s5-.9 5-2" }]],
  commands: [["rect", { x: 2, y: 3, width: 12, height: 10, rx: 1.5 }], ["path", { d: "m5 6.2 2 1.8-2 1.8M8.7 10h2.5" }]],
  queries: [
    ["path", { d: "M3.5 2.5h9a1 1 0 0 1 1 1V10a1 1 0 0 1-1 1H8.2L5 13.5V11H3.5a1 1 0 0 1-1-1V3.5a1 1 0 0 1 1-1z" }],
    ["path", { d: "M6.6 5.6a1.4 1.4 0 1 1 2.1 1.2c-.5.3-.7.4-.7.9" }], DOT(9.2, 0.8),
  ],
  play: [["path", { d: "M5 3.2v9.6L12.5 8z" }]],
  pause: [["path", { d: "M5.5 3.5v9M10.5 3.5v9" }]],
  stop: [["rect", { x: 4, y: 4, width: 8, height: 8, rx: 1 }]],
  clear: [["path", { d: "M2.5 4h11M2.5 8h5M2.5 12h5M10 8.5l4 4m0-4-4 4" }]],
  search: [["circle", { cx: 7, cy: 7, r: 4 }], ["path", { d: "m10 10 3.5 3.5" }]],
  follow: [["path", { d: "M8 2.5v7M5 7l3 3 3-3M3 13.5h10" }]],
  frame: [["rect", { x: 2, y: 3, width: 12, height: 10, rx: 1 }], ["path", { d: "M2 6.5h12M6.5 6.5V13" }]],
  copy: [["rect", { x: 5.5, y: 5.5, width: 8, height: 8, rx: 1 }], ["path", { d: "M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" }]],
  code: [["path", { d: "M5 4.5 1.8 8 5 11.5M11 4.5 14.2 8 11 11.5M9.2 3.5l-2.4 9" }]],
  close: [["path", { d: "m4 4 8 8M12 4l-8 8" }]],
  check: [["path", { d: "m3 8.5 3.3 3.3L13 4.8" }]],
  alert: [["path", { d: "M8 2.3 14.4 13.3H1.6z" }], ["path", { d: "M8 6.3v3.2" }], DOT(11.4, 0.85)],
  info: [["circle", { cx: 8, cy: 8, r: 6 }], ["path", { d: "M8 7.3v3.7" }], DOT(5, 0.85)],
  clock: [["circle", { cx: 8, cy: 8, r: 6 }], ["path", { d: "M8 4.5V8l2.3 1.6" }]],
  pin: [["path", { d: "M8 9.5V14M5 2.5h6M6 2.5v3.8L4.3 9.5h7.4L10 6.3V2.5" }]],
  first: [["path", { d: "M4 3.5v9M12.5 3.5 7.5 8l5 4.5" }]],
  back: [["path", { d: "M10.5 3.5 5.5 8l5 4.5" }]],
  forward: [["path", { d: "m5.5 3.5 5 4.5-5 4.5" }]],
  last: [["path", { d: "M12 3.5v9M3.5 3.5l5 4.5-5 4.5" }]],
  plug: [["path", { d: "M5.5 2v3.5M10.5 2v3.5M3.5 5.5h9V8a4.5 4.5 0 0 1-9 0zM8 12.5V15" }]],
  lock: [["rect", { x: 3.5, y: 7, width: 9, height: 6.5, rx: 1 }], ["path", { d: "M5.5 7V5a2.5 2.5 0 0 1 5 0v2" }]],
  redo: [["path", { d: "M13 8a5 5 0 1 1-1.6-3.7L13 5.8M13 2.5v3.3H9.7" }]],
  send: [["path", { d: "M2.5 8h10M8.8 4.2 12.7 8l-3.9 3.8" }]],
  resend: [["path", { d: "M13.5 4.5h-8a3 3 0 0 0 0 7h7M10 9l2.7 2.5L10 14" }]],
  reject: [["path", { d: "M6 3.5 2.8 6.7 6 10M3 6.7h6.5a3.5 3.5 0 0 1 0 7H7" }]],
  answer: [["path", { d: "M6 3.5 2.5 7 6 10.5M3 7h6a4 4 0 0 1 4 4v1.5" }]],
  edit: [["path", { d: "M10.8 3 13 5.2 5.8 12.4l-2.8.6.6-2.8z" }]],
  extend: [["circle", { cx: 7, cy: 8.5, r: 5 }], ["path", { d: "M7 5.8v2.7l1.7 1.2M12.5 1.8v4M10.5 3.8h4" }]],
  trash: [["path", { d: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.7 7.2v3.8M9.3 7.2v3.8" }]],
  peek: [["path", { d: "M1.5 8S4 3.7 8 3.7 14.5 8 14.5 8 12 12.3 8 12.3 1.5 8 1.5 8z" }], ["circle", { cx: 8, cy: 8, r: 1.8 }]],
  plus: [["path", { d: "M8 3v10M3 8h10" }]],
  minus: [["path", { d: "M3 8h10" }]],
  braces: [["path", { d: "M6 3c-1.5 0-2 .7-2 2v1.5C4 7.5 3.3 8 2.5 8c.8 0 1.5.5 1.5 1.5V11c0 1.3.5 2 2 2M10 3c1.5 0 2 .7 2 2v1.5c0 1 .7 1.5 1.5 1.5-.8 0-1.5.5-1.5 1.5V11c0 1.3-.5 2-2 2" }]],
  asc: [["path", { d: "m4 10 4-4 4 4" }]],
  desc: [["path", { d: "m4 6 4 4 4-4" }]],
  live: [DOT(8, 4)],
  spin: [["path", { d: "M8 3.5A4.5 4.5 0 1 1 3.5 8" }]],
  halt: [["rect", { x: 4.5, y: 4.5, width: 7, height: 7, rx: 1, f: 1 }]],
  hold: [["path", { d: "M6 4.5v7M10 4.5v7", "stroke-width": 2.2 }]],
  bad: [["circle", { cx: 8, cy: 8, r: 5 }], ["path", { d: "m6.2 6.2 3.6 3.6m0-3.6-3.6 3.6" }]],
  good: [["circle", { cx: 8, cy: 8, r: 5 }], ["path", { d: "m5.6 8.2 1.7 1.7 3.2-3.5" }]],
};

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function icon(name) {
  const node = svg("svg", { class: name === "spin" ? "i turn" : "i", "aria-hidden": "true", viewBox: "0 0 16 16" });
  for (const [tag, { f, ...shape }] of ICONS[name] ?? []) {
    node.append(svg(tag, f ? { ...shape, fill: "currentColor", stroke: "none" } : shape));
  }
  return node;
}

// An element: attributes by name ("on…" are listeners), children nodes or text.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// Writes only what differs: a live region speaks, and a selection is lost, at every write.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

function button({ name, glyph, title, look = "", act, bare = false }) {
  // The name is said as well as shown: in a narrow frame only the icon is left.
  const node = el("button", { type: "button", class: `kq-btn ${look}`, title, "aria-label": name, onclick: act }, ...(glyph ? [icon(glyph)] : []));
  if (!bare) node.append(el("span", { class: "word" }, name));
  return node;
}

// The same button with another name and icon: it keeps the focus, which a new one would lose.
function rename(node, { name, glyph, title, look = "" }) {
  const word = node.querySelector(".word");
  if (word.textContent === name) return;
  node.querySelector("svg").replaceWith(icon(glyph));
  node.className = `kq-btn ${look}`;
  node.title = title;
  word.textContent = name;
  node.setAttribute("aria-label", name);
}

function head(about, actions) {
  return el("header", { class: "kq-head" }, icon(about.icon),
    el("h3", { class: "kq-name", title: about.channel }, about.channel),
    el("span", { class: "kq-kind", title: about.kind }, about.kind),
    el("div", { class: "kq-acts" }, ...actions));
}

function foot() {
  const code = el("code", { class: "cut grow" });
  const held = el("span", { class: "held" });
  const copied = el("span", { class: "sr", role: "status" });
  const copy = button({ name: "Copy as code", title: "Copy as code", glyph: "copy", look: "icon quiet", bare: true,
    act: () => copyText(code.textContent, copied) });
  return { node: el("footer", { class: "kq-foot" }, icon("code"), code, held, copied, copy), code, held };
}

async function copyText(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "Copied";
  } catch {
    said.textContent = "The browser did not allow copying";
  }
  setTimeout(() => { said.textContent = ""; }, 2000);
}

// A button that copies a body as it is, or says in its title why it does not.
function copyBody({ copy, uncopied }, said, options) {
  const node = button({ ...options, glyph: "copy", title: uncopied || "Copy the body as it is", act: () => !uncopied && copyText(copy, said) });
  if (uncopied) node.setAttribute("aria-disabled", "true");
  return node;
}

// A sentence as nodes; what stands between backticks in it is code.
function prose(text) {
  return text.split("`").map((part, place) => (place % 2 ? el("code", {}, part) : part));
}

// A notice in its place: icon, one bold clause, one sentence, at most two buttons.
function note({ tone = "", icon: glyph, head: headline, rest = "", code = "", ticks = false }, ...buttons) {
  const role = tone === "bad" ? "alert" : "status";
  const text = el("p", {}, el("strong", {}, ...prose(headline)), ...(code ? [" ", el("code", {}, code), ","] : []), " ", ...prose(rest));
  if (ticks) text.append(" ", el("span", { class: "kq-since", "aria-live": "off" }));
  return el("div", { class: `kq-note ${tone}`, role }, icon(glyph), text, ...buttons);
}

// A tag: its name grey, its value cut with the whole in the title.
function chip([name, value]) {
  return el("span", { class: "kq-chip", title: `${name}=${value}` }, el("b", {}, name), value);
}

function counts(node, pairs) {
  pairs.forEach(([name, figure], place) => {
    const item = node.children[place] ?? node.appendChild(el("div", {}, el("dt", {}, name), el("dd")));
    write(item.lastChild, figure);
    item.className = figure === "0" ? "zero" : "";
  });
}

function spark() {
  const [area, line] = [svg("path", { class: "s-area" }), svg("path", { class: "s-line" })];
  const node = svg("svg", { class: "spark", viewBox: "0 0 96 20", preserveAspectRatio: "none", role: "img", "aria-label": "A second, last 60 s" });
  node.append(area, line);
  return { node, area, line };
}

function drawSpark({ area, line }, rates) {
  const top = Math.max(...rates, 0);
  const step = 96 / Math.max(rates.length - 1, 1);
  const points = rates.map((rate, place) => `${(place * step).toFixed(1)} ${(19 - (top ? 18 * rate / top : 0)).toFixed(1)}`);
  const path = points.length > 1 ? `M${points.join("L")}` : "M0 19H96";
  line.setAttribute("class", top ? "s-line" : "s-flat");
  line.setAttribute("d", path);
  area.setAttribute("d", top && points.length > 1 ? `${path}V20H0z` : "");
}

// Spans as people say them: "now", "12 s", "1 m 12 s", "3 m", "14 h", "61 d".
function span(seconds) {
  if (seconds < 1) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 120) return `1 m ${Math.floor(seconds - 60)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

function age(milliseconds) {
  return span((Date.now() - milliseconds) / 1000);
}

function utc(milliseconds) {
  return new Date(milliseconds).toISOString().replace("T", " ").replace("Z", " UTC");
}

// Calls `gone` once when the kernel that had the model is no more: it was restarted, ended, or died.
function whenKernelGoes(model, host, gone) {
  const check = () => {
    const { kernel } = model.widget_manager ?? {};
    const isDead = !kernel || kernel.isDisposed || ["dead", "terminating", "restarting", "autorestarting"].includes(kernel.status);
    if (!host.closest(".jupyter-widgets-disconnected") && !(model.widget_manager && "kernel" in model.widget_manager && isDead)) return;
    forget();
    gone();
  };
  const clock = setInterval(check, 1000);
  const forget = () => { clearInterval(clock); model.off("comm_live_update", soon); };
  const soon = () => setTimeout(check, 0); // the page marks the view after it told us
  model.on("comm_live_update", soon);
  return forget;
}

let ids = 0;
const page = Math.random().toString(36).slice(2, 8);

// An id that no other element of the page has.
function uniqueId() {
  ids += 1;
  return `kq-${page}-${ids}`;
}

// Calls `paint` once in the next frame, however often it is asked before.
function oncePerFrame(paint) {
  let asked = 0;
  return () => { asked ||= requestAnimationFrame(() => { asked = 0; paint(); }); };
}
