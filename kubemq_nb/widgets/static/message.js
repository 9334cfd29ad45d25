// One message in full: the tabs of its body.

const TABS = ["Decoded", "Raw", "Hex", "Tags", "Policy"];

function messagePane(view, detail, ...acts) {
  return el("div", { class: "kq-pane kq-message" },
    el("div", { class: "kq-pane-head" }, el("h4", {}, detail.head), el("span", { class: "kq-kind cut", title: detail.id }, `id ${shortId(detail.id)}`),
      el("div", { class: "kq-acts" }, ...acts)),
    ...messageTabs(view, detail));
}

function shortId(id) {
  return id.length > 8 ? `${id.slice(0, 8)}…` : id;
}

// Tabs of the open message; which one is chosen stays with the view. A request has no policy.
function messageTabs(view, detail) {
  const names = detail.facts ? TABS : TABS.slice(0, 4);
  const panel = el("div", { class: "kq-pad", role: "tabpanel", id: uniqueId(), tabindex: 0 });
  const tabs = names.map((name) => el("button", {
    type: "button", role: "tab", class: "kq-tab", "aria-controls": panel.id, id: uniqueId(),
    onclick: () => choose(name),
  }, name === "Tags" ? `Tags ${detail.tags.length}` : name));
  const choose = (name) => {
    view.tab = name;
    tabs.forEach((tab, place) => {
      const chosen = names[place] === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.setAttribute("tabindex", chosen ? "0" : "-1");
      if (chosen) panel.setAttribute("aria-labelledby", tab.id);
    });
    panel.replaceChildren(...tabContent(name, detail));
  };
  choose(view.tab ?? "Decoded");
  return [el("div", { class: "kq-tabs", role: "tablist", "aria-label": "Views of the message" }, ...tabs), panel];
}

function tabContent(name, detail) {
  const hint = (text) => el("p", { class: "kq-hint kq-under" }, text);
  const pre = (text, label) => el("pre", { class: "kq-pre", tabindex: 0, "aria-label": label }, text);
  if (name === "Decoded") return [pre(detail.decoded, "Decoded body"), hint(detail.how)];
  if (name === "Raw") return [pre(detail.raw, "Raw body"), hint("As it is, nothing prettified. Control characters are shown as \\xNN.")];
  if (name === "Hex") return [pre(detail.hex, "Body in hexadecimal"), hint(detail.dumped)];
  if (name === "Tags") return [tagTable(detail)];
  return [policy(detail)];
}

function tagTable({ tags, metadata }) {
  const rows = tags.map(([key, value]) => el("tr", {}, el("td", { class: "mono" }, key), el("td", { class: "field", title: value }, value)));
  const table = el("table", { class: "kq-table" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "tag"), el("th", { scope: "col" }, "value"))), el("tbody", {}, ...rows));
  const beside = metadata ? [el("dl", { class: "kq-dl" }, el("dt", {}, "metadata"), el("dd", {}, metadata))] : [];
  return el("div", { class: "kq-open" }, ...(tags.length ? [table] : [el("p", { class: "kq-hint" }, "No tags.")]), ...beside);
}

function policy({ facts, expires, time }) {
  const until = expires === null ? "none" : `${utc(expires)}`;
  const pairs = [["expires", until], ["sent", time === null ? "not told" : `${ago(time)} (${utc(time)})`], ...facts];
  return el("dl", { class: "kq-dl" }, ...pairs.flatMap(([name, value]) =>
    [el("dt", {}, name), el("dd", { class: ["id", "md5", "sent by", "came from"].includes(name) ? "mono" : "" }, value)]));
}
