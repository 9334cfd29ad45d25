// The card of a transaction by itself: what is held beside what can be done with it.

function build(model) {
  const view = { model, send: (what, more = {}) => model.send({ do: what, ...more }) };
  view.notes = el("div");
  view.message = el("div");
  view.card = cardPane(view);
  view.editor = el("div");
  view.foot = foot();
  view.root = el("section", { class: "kq", "aria-label": model.get("about").label }, head(model.get("about"), []),
    view.notes, el("div", { class: "kq-split side" }, view.message, view.card.node), view.editor, view.foot.node);
  return view;
}

function paint(view) {
  const { model } = view;
  const card = model.get("card");
  paintSaid(view);
  paintMessage(view);
  paintCard(view, view.card, card);
  paintEditor(view, view.editor);
  paintFoot(view);
}

function paintMessage(view) {
  const [detail, { rows }] = [view.model.get("detail"), view.model.get("table")];
  const key = JSON.stringify([detail, rows]);
  if (view.shown === key) return;
  view.shown = key;
  const { channel } = view.model.get("about");
  if (Object.keys(detail).length) view.message.replaceChildren(messagePane(view, detail));
  else if (rows) view.message.replaceChildren(several(rows));
  else view.message.replaceChildren(el("div", { class: "kq-empty" }, icon("queues"), el("h4", {}, `${channel} has no message to hold`)));
}

function several(rows) {
  const names = ["seq", "state", "body"].map((name) => el("th", { scope: "col", class: name === "seq" ? "num" : "" }, name));
  const lines = rows.map(([number, state, body]) => el("tr", {}, el("td", { class: "num" }, number), el("td", {}, state), el("td", { class: "rest body", title: body }, body)));
  return el("div", { class: "kq-scroll tall", tabindex: 0, role: "region", "aria-label": "Held messages" },
    el("table", { class: "kq-table" }, el("thead", {}, el("tr", {}, ...names)), el("tbody", {}, ...lines)));
}

function onKey(view, event) {
  if (editorKey(view, view.editor, event) || tabKey(event) || cardKey(view.card, event)) taken(event);
}

function tick(view) {
  paintLeft(view.card, view.model.get("card"));
}

function render({ model, el: host }) {
  return live(build(model), host, { paint, onKey, tick, every: 100 });
}

export default { render };
