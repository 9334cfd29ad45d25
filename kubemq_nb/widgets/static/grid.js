// A table of many rows: only those in sight are elements. One tab stop, the arrow keys move inside it.

const ROW = 28; // px, as tokens.css has it
const BEYOND = 12; // rows kept ready above and below those in sight
const STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

// `blank()` makes a row of cells, `fill(node, row)` writes a row into it; a row is known by its `key`.
function grid({ label, blank, fill, open }) {
  const g = { rows: [], nodes: new Map(), spare: [], current: null, selected: null, blank, fill, open };
  g.thead = el("thead");
  g.above = gap();
  g.below = gap();
  g.tbody = el("tbody", {}, g.above, g.below);
  g.table = el("table", { class: "kq-table", role: "grid", "aria-label": label }, g.thead, g.tbody);
  g.node = el("div", { class: "kq-scroll tall", onscroll: () => paintRows(g) }, g.table);
  g.tbody.addEventListener("click", (event) => clicked(g, event));
  return g;
}

function gap() {
  return el("tr", { class: "kq-gap", "aria-hidden": "true", hidden: true }, el("td", { colspan: 99 }));
}

function clicked(g, event) {
  const node = event.target.closest("tr[data-key]");
  if (!node || !getSelection().isCollapsed) return; // text was selected, not a row
  makeCurrent(g, node.dataset.key, { focus: true });
  g.open(node.dataset.key);
}

// Other rows, or the same ones in another order. New columns need new elements: `anew`.
function setRows(g, rows, { anew = false } = {}) {
  if (anew) forgetNodes(g);
  g.rows = rows;
  g.places = new Map(rows.map((row, place) => [row.key, place]));
  if (!g.places.has(g.current)) g.current = rows[0]?.key ?? null;
  g.table.setAttribute("aria-rowcount", rows.length);
  paintRows(g);
}

function forgetNodes(g) {
  for (const node of g.nodes.values()) node.remove();
  g.nodes.clear();
  g.spare = [];
}

function paintRows(g) {
  const focused = g.tbody.contains(document.activeElement);
  const { scrollTop } = g.node;
  const first = Math.max(0, Math.min(Math.floor(scrollTop / ROW) - BEYOND, g.rows.length - 1));
  const shown = g.rows.slice(first, first + Math.ceil((g.node.clientHeight || 384) / ROW) + 2 * BEYOND);
  recycleNodes(g, new Set(shown.map((row) => row.key)));
  let place = g.above.nextSibling;
  shown.forEach((row, offset) => {
    const node = nodeOf(g, row, first + offset);
    if (node === place) place = place.nextSibling;
    else g.tbody.insertBefore(node, place);
  });
  setGap(g.above, first);
  setGap(g.below, g.rows.length - first - shown.length);
  if (g.node.scrollTop !== scrollTop) g.node.scrollTop = scrollTop; // a page that was laid out while rows were away has cut it
  if (focused && !g.tbody.contains(document.activeElement)) g.nodes.get(g.current)?.focus({ preventScroll: true });
}

function recycleNodes(g, keys) {
  for (const [key, node] of g.nodes) {
    if (keys.has(key)) continue;
    node.remove();
    g.nodes.delete(key);
    g.spare.push(node);
  }
}

function nodeOf(g, row, place) {
  const node = g.nodes.get(row.key) ?? g.spare.pop() ?? g.blank();
  node.dataset.key = row.key;
  node.setAttribute("aria-rowindex", place + 1);
  node.setAttribute("aria-selected", String(row.key === g.selected));
  node.setAttribute("tabindex", row.key === g.current ? "0" : "-1");
  g.fill(node, row);
  g.nodes.set(row.key, node);
  return node;
}

function setGap(node, rows) {
  show(node, rows > 0);
  node.firstChild.style.height = `${rows * ROW}px`;
}

function select(g, key) {
  if (g.selected === key) return;
  g.selected = key;
  for (const [each, node] of g.nodes) node.setAttribute("aria-selected", String(each === key));
}

// The table is one tab stop: the current row.
function makeCurrent(g, key, { focus }) {
  g.nodes.get(g.current)?.setAttribute("tabindex", "-1");
  g.current = key;
  const node = g.nodes.get(key);
  node?.setAttribute("tabindex", "0");
  if (focus) node?.focus({ preventScroll: true });
}

function step(g, by) {
  const place = Math.min(Math.max((g.places.get(g.current) ?? 0) + by, 0), g.rows.length - 1);
  const top = place * ROW;
  const height = g.node.clientHeight - g.thead.offsetHeight;
  if (top < g.node.scrollTop) g.node.scrollTop = top;
  else if (top + ROW > g.node.scrollTop + height) g.node.scrollTop = top + ROW - height;
  paintRows(g);
  makeCurrent(g, g.rows[place].key, { focus: true });
}

// What a key does inside the rows; whether it did something.
function gridKey(g, event) {
  if (!g.tbody.contains(event.target) || !g.rows.length) return false;
  if (event.key === "Enter") g.open(g.current);
  else if (event.key in STEPS) step(g, STEPS[event.key]);
  else return false;
  return true;
}

// A heading that sorts; the caret stands left of a figure's name, so that figures stay in line.
function sortHeading({ label, name, isFigure, width = "", title, sorted, act }) {
  const caret = sorted ? [icon(sorted === "descending" ? "desc" : "asc")] : [];
  return el("th", { scope: "col", class: `${isFigure ? "num" : ""} ${width}`, "aria-sort": sorted || undefined },
    el("button", { type: "button", class: "kq-sort", title, onclick: () => act(name) }, label, ...caret));
}
