// The card of what is held, and the form that changes a held message.

const SOON = 5; // seconds of visibility that are few

// Elements that stay while the message is held, so that a countdown and a typed text are not lost.
function cardPane(view, ...more) {
  const parts = { shown: "" };
  parts.title = el("h4");
  parts.about = el("span", { class: "kq-kind cut" });
  parts.acts = el("div", { class: "kq-acts" }, ...more);
  parts.body = el("div", { class: "kq-pad kq-card" });
  parts.icon = el("span");
  parts.node = el("div", { class: "kq-pane", role: "group", "aria-label": "Held message" },
    el("div", { class: "kq-pane-head" }, parts.icon, parts.title, parts.about, parts.acts), parts.body);
  parts.ack = verb(view, "ack", { name: "Ack", glyph: "check", title: "Done: remove it (A)", waits: "Acking", look: "primary" });
  parts.reject = verb(view, "reject", { name: "Reject", glyph: "reject", title: "Put it back at the tail, count up by one (R)", waits: "Rejecting" });
  parts.seconds = el("input", { class: "kq-input num", value: "30 s", "aria-label": "Seconds to hold it longer", size: 5 });
  parts.extend = verb(view, "extend", { name: "Extend", glyph: "extend", title: "Hold it this long from now (E)", waits: "Extending" }, () => ({ seconds: parts.seconds.value }));
  parts.modify = verb(view, "edit", { name: "Modify…", glyph: "edit", title: "Change body, tags or channel, then send (M)" }, () => ({ on: true }));
  parts.to = el("input", { class: "kq-input mono grow", "aria-label": "Queue to resend to", placeholder: "queue" });
  parts.resend = verb(view, "resend", { name: "Resend", glyph: "resend", title: "Move it to this queue", waits: "Resending" }, () => ({ channel: parts.to.value }));
  parts.left = el("span", { class: "kq-count", role: "timer" });
  parts.hint = el("span", { class: "kq-hint grow" });
  parts.soon = el("span", { class: "kq-badge warn" }, icon("alert"), "soon");
  parts.bar = el("progress", { class: "big", "aria-label": "Visibility left" });
  parts.spoken = el("span", { class: "sr", role: "status" });
  return parts;
}

function cardKey(parts, event) {
  const node = { a: parts.ack, r: parts.reject, e: parts.extend, m: parts.modify }[event.key.toLowerCase()];
  if (!node?.isConnected || parts.node.hidden || isField(event.target)) return false;
  node.click();
  return true;
}

function paintCard(view, parts, card) {
  const key = card.state ? `${card.state} ${card.title} ${card.many} ${JSON.stringify(card.done)}` : "";
  show(parts.node, Boolean(card.state));
  if (!card.state) { parts.shown = ""; return; }
  if (key !== parts.shown) fillCard(parts, card);
  parts.shown = key;
  paintBusy(view, [parts.ack, parts.reject, parts.extend, parts.modify, parts.resend]);
  paintLeft(parts, card);
}

function fillCard(parts, card) {
  const hadFocus = parts.body.contains(document.activeElement);
  const held = card.state === "held";
  const name = { held: "Held", done: "Done", lost: "No longer held" }[card.state];
  parts.icon.replaceChildren(icon({ held: "lock", done: "good", lost: "bad" }[card.state]));
  write(parts.title, `${name}: ${card.title}`);
  write(parts.about, held ? card.about : "");
  parts.node.setAttribute("aria-label", `${name}: ${card.title}`);
  for (const node of parts.acts.children) show(node, !held);
  if (held && !parts.shown.startsWith("held")) parts.to.value = card.resend;
  parts.body.replaceChildren(...(held ? holding(parts, card) : ended(card)), parts.spoken);
  if (card.done.text) write(parts.spoken, "");
  if (hadFocus && !parts.body.contains(document.activeElement)) (held ? parts.ack : parts.acts.firstChild)?.focus();
}

function holding(parts, card) {
  const pair = (...nodes) => el("div", { class: "kq-pair" }, ...nodes);
  const rows = [pair(parts.ack, parts.reject)];
  if (!card.many) rows.push(pair(el("div", { class: "kq-join" }, parts.extend, parts.seconds), parts.modify));
  rows.push(el("div", { class: "kq-join" }, parts.to, parts.resend));
  const clock = card.deadline === null ? [] : [el("div", { class: "kq-left" }, el("div", { class: "kq-line" }, parts.left, parts.hint, parts.soon), parts.bar)];
  return [...clock, ...rows, ...said(card.done)];
}

function ended(card) {
  return said(card.done);
}

function said({ text, tone, hint }) {
  if (!text) return [];
  const line = el("p", { class: `kq-say ${tone}`, role: tone === "bad" ? "alert" : "status" }, icon(tone === "bad" ? "bad" : "check"), el("span", {}, text));
  return [line, ...(hint ? [el("p", { class: "kq-hint" }, hint)] : [])];
}

// The countdown runs here, from the deadline that the kernel sent; at zero it is the server that says what is so.
function paintLeft(parts, card) {
  if (card.state !== "held" || card.deadline === null) return;
  const left = Math.max(0, (card.deadline - Date.now()) / 1000);
  const soon = left < SOON;
  write(parts.left, left >= 120 ? span(left) : `${left.toFixed(1)} s`);
  write(parts.hint, left === 0 ? "asking the server" : soon ? "left: extend now, or it goes back" : "left, then back to the queue");
  show(parts.soon, soon);
  parts.bar.className = soon ? "big warn" : "big";
  parts.bar.max = Math.max(card.visibility, left, 1);
  parts.bar.value = left;
}

// ---------------------------------------------------------------- the form that changes a message

function editorPane(view, before) {
  const field = (label, node) => { node.id = uniqueId(); return el("div", { class: "kq-field" }, el("label", { for: node.id }, label), node); };
  const body = el("textarea", { class: "kq-area", rows: 8, spellcheck: "false" }, before.body ?? `${before.size}: sent as it is, because it is no short text`);
  body.disabled = before.body === null;
  const channel = el("input", { class: "kq-input mono", value: before.channel });
  const metadata = el("input", { class: "kq-input", value: before.metadata });
  const tags = el("textarea", { class: "kq-area", rows: 3, spellcheck: "false", placeholder: "key=value, one a line" }, before.tags);
  const fields = () => ({ body: before.body === null ? null : body.value, channel: channel.value, metadata: metadata.value, tags: tags.value });
  const send = verb(view, "modify", { name: "Send in its place", glyph: "send", title: "Send the changed message and remove the held one (Ctrl+Enter)", waits: "Sending", look: "primary" }, () => ({ fields: fields() }));
  const keep = button({ name: "Keep it", glyph: "close", title: "Close this form; the message stays held (Esc)", look: "quiet", act: () => view.send("edit", { on: false }) });
  const node = el("div", { class: "kq-pane", role: "group", "aria-label": "Modify the held message" },
    el("div", { class: "kq-pane-head" }, icon("edit"), el("h4", {}, "Modify the held message"), el("div", { class: "kq-acts" }, keep)),
    el("div", { class: "kq-form" }, el("div", {}, field("Channel", channel), field("Metadata", metadata), field("Tags", tags)), el("div", {}, field("Body", body), el("div", {}, send))));
  return { node, send, keep, first: before.body === null ? channel : body };
}

function paintEditor(view, host) {
  const before = view.model.get("editor");
  const key = JSON.stringify(before);
  if (host.shown !== key) {
    host.shown = key;
    host.editor = Object.keys(before).length ? editorPane(view, before) : null;
    host.replaceChildren(...(host.editor ? [host.editor.node] : []));
    host.editor?.first.focus();
  }
  if (host.editor) paintBusy(view, [host.editor.send]);
}

function editorKey(view, host, event) {
  if (!host.editor || !host.contains(event.target)) return false;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) host.editor.send.click();
  else if (event.key === "Escape") host.editor.keep.click();
  else return false;
  return true;
}
