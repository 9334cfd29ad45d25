// Cells of a table of messages, by the kind of their column.

const FIGURES = new Set(["number", "figure", "age", "size", "expires"]);
const LOOKS = { number: "num", figure: "num", expires: "num", size: "num dim", age: "num dim", rest: "rest", body: "rest body", id: "id", mono: "mono", text: "field" };

function widthOf(column) {
  return column.width ? `kq-p${column.width}` : "";
}

function headingClass(column) {
  return `${FIGURES.has(column.kind) ? "num" : ""} ${widthOf(column)}`;
}

function blankCells(columns) {
  return columns.map((column) => el("td", { class: `${LOOKS[column.kind] ?? ""} ${widthOf(column)}` }));
}

// Writes a value; times are the business of a view's clock.
function fillCell(cell, kind, value) {
  if (kind === "tags") cell.replaceChildren(...chips(value));
  else if (kind === "state") cell.replaceChildren(el("span", { class: `kq-state ${value[1]}` }, icon(value[2]), value[0]));
  else titled(cell, value, kind === "id" && value.length > 7 ? `${value.slice(0, 6)}…` : value);
}

function titled(cell, value, text) {
  write(cell, text);
  if (value.length > 7) cell.title = value;
  else cell.removeAttribute("title");
}

function chips(pairs) {
  const others = pairs.slice(2);
  const more = others.length ? [el("span", { class: "kq-chip", title: others.map((pair) => pair.join("=")).join("\n") }, `+${others.length}`)] : [];
  return [...pairs.slice(0, 2).map(chip), ...more];
}
