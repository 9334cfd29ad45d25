// Controls of a form: lines of text, a choice of a few, tags, a body; and the hand that types into them.
//
// What stands in a form is the kernel's: a control writes what it is told and tells what is typed. Each is
//   { name, node, read(), write(value), wrong(sentence), focus() }
// where `wrong("")` takes the mistake below the control away. What is typed goes to `typed({ [name]: value })`:
//
//   const hand = handOf(view);                          // sends { do: "enter", turn, fields } after a pause
//   const controls = [textField({ name: "channel", label: "Channel", typed: hand.type }), …];
//   writeFields(hand, controls, view.model.get("values")); // in paint: what the kernel has, never under the hand
//   showWrong(controls, { channel: "The channel is missing." }); // by name; those that are not there are right
//   hand.flush();                                       // before a button acts on what stands in the form
//   if (segmentKey(event)) taken(event);                // in onKey
//
// In the kernel the view takes `fields` on "enter"; the trait `heard` has the turn, in one state with what the fields
// came to.

const PAUSE = 250; // ms after the last letter, before the kernel hears of it

// Who types. Until the kernel has heard the last of it, what the kernel says of the form is older than the form.
function handOf(view) {
  const hand = Object.assign(turnsOf(view), { entered: 0, fields: null });
  hand.type = (fields) => {
    hand.fields = { ...hand.fields, ...fields };
    clearTimeout(view.typing);
    view.typing = setTimeout(hand.flush, PAUSE);
  };
  hand.flush = () => {
    clearTimeout(view.typing);
    if (!hand.fields) return;
    const [turn, fields] = [hand.sign(), hand.fields];
    hand.entered = hand.turns;
    hand.fields = null;
    view.send("enter", { turn, fields });
  };
  hand.isAhead = () => Boolean(hand.fields) || hand.entered > hand.heard;
  return hand;
}

function writeFields(hand, controls, values) {
  if (hand.isAhead()) return;
  for (const control of controls) if (control.name in values) control.write(values[control.name]);
}

function showWrong(controls, mistakes) {
  for (const control of controls) control.wrong(mistakes[control.name] ?? "");
}

// The line below a control: what is wrong with it, or nothing.
function mistake() {
  const words = el("span");
  const node = el("p", { class: "kq-say bad", id: uniqueId(), hidden: true }, icon("bad"), words);
  const wrong = (input, text) => {
    show(node, Boolean(text));
    write(words, text);
    if (!text) return void ["aria-invalid", "aria-describedby"].forEach((name) => input.removeAttribute(name));
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", node.id);
  };
  return { node, wrong };
}

// Writes only what differs: the place of the caret is lost at every write. A line takes no line break, so that what
// was written once is not compared with what became of it.
function put(input, text) {
  if (input.value !== text && input.written !== text) input.value = text;
  input.written = text;
}

// One line of text. `unit` stands behind it, `look` is "mono" or "num", `title` what Python calls it.
function textField({ name, label, title, unit, placeholder, look = "", typed }) {
  const input = el("input", { class: `kq-input ${look}`, id: uniqueId(), placeholder, autocomplete: "off", spellcheck: "false", oninput: () => { input.written = null; typed({ [name]: input.value }); } });
  const below = mistake();
  const line = unit ? el("span", { class: "kq-unit" }, input, el("span", {}, unit)) : input;
  const node = el("div", { class: "kq-field" }, el("label", { for: input.id, title }, label), line, below.node);
  return { name, node, read: () => input.value, write: (text) => put(input, text), wrong: (text) => below.wrong(input, text), focus: () => input.focus() };
}

// One of a few, two to six: radios in one border. `choices` are [value, word].
function segment({ name, label, choices, typed }) {
  const group = uniqueId();
  const inputs = choices.map(([value]) => el("input", { type: "radio", name: group, value, onchange: () => typed({ [name]: value }) }));
  const node = el("div", { class: "kq-seg", role: "radiogroup", "aria-label": label }, ...choices.map(([, word], place) => el("label", {}, inputs[place], word)));
  const set = (value) => { for (const input of inputs) if (input.checked !== (input.value === value)) input.checked = input.value === value; };
  const chosen = () => inputs.find((input) => input.checked);
  return { name, node, inputs, read: () => chosen()?.value ?? "", write: set, wrong: () => {}, focus: () => (chosen() ?? inputs[0]).focus() };
}

// What the arrow keys do in a segment: in command mode Lab has its own use for them.
function segmentKey(event) {
  const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (!by || event.target.type !== "radio") return false;
  const inputs = [...event.target.closest(".kq-seg").querySelectorAll("input")];
  const next = inputs[(inputs.indexOf(event.target) + by + inputs.length) % inputs.length];
  next.focus();
  next.click();
  return true;
}

// ---------------------------------------------------------------- tags

// Rows of name and value; the last row adds another one, the others can be taken away. The value is a list of pairs.
function tagEditor({ name, label, typed }) {
  const rows = el("div", { class: "kq-tags" });
  const below = mistake();
  const told = () => typed({ [name]: read() });
  const read = () => [...rows.children].map((row) => [row.name.value, row.text.value]).filter(([key, text]) => key || text);
  const add = (pair) => { rows.append(tagRow(pair, { told, add: more, remove })); nameRows(rows); };
  const more = () => {
    const { name: key, text } = rows.lastChild;
    if (key.value || text.value) add(["", ""]);
    rows.lastChild.name.focus();
  };
  const remove = (row) => {
    const next = row.nextSibling;
    row.remove();
    nameRows(rows);
    next.name.focus();
    told();
  };
  const set = (pairs) => {
    if (rows.childElementCount && JSON.stringify(read()) === JSON.stringify(pairs)) return;
    rows.replaceChildren();
    for (const pair of [...pairs, ["", ""]]) add(pair);
  };
  set([]);
  const node = el("fieldset", { class: "kq-field" }, el("legend", { class: "kq-label" }, label), rows, below.node);
  return { name, node, read, write: set, wrong: (text) => below.wrong(rows.lastChild.name, text), focus: () => rows.lastChild.name.focus() };
}

function tagRow([key, value], { told, add, remove }) {
  const input = (placeholder, text) => el("input", { class: "kq-input mono", placeholder, value: text, autocomplete: "off", spellcheck: "false", oninput: told, onkeydown: (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); add(); }
  } });
  const row = el("div", { class: "kq-tag" });
  row.name = input("name", key);
  row.text = input("value", value);
  row.act = button({ name: "Add tag", glyph: "plus", title: "Add tag", look: "icon quiet", bare: true, act: () => (row.nextSibling ? remove(row) : add()) });
  row.append(row.name, row.text, row.act);
  return row;
}

function nameRows(rows) {
  [...rows.children].forEach((row, place) => {
    const last = !row.nextSibling;
    const name = last ? "Add tag" : "Remove tag";
    row.name.setAttribute("aria-label", `Name of tag ${place + 1}`);
    row.text.setAttribute("aria-label", `Value of tag ${place + 1}`);
    row.act.setAttribute("aria-label", name);
    row.act.title = name;
    row.act.replaceChildren(icon(last ? "plus" : "minus"));
  });
}

// ---------------------------------------------------------------- body

const BODY_KINDS = [["json", "JSON"], ["text", "Text"], ["hex", "Hex"], ["base64", "Base64"]];

// A text, how it is meant (told as `${name}_as`), and below it what it comes to. It is written
//   { text, as, note, tone, kept }: `tone` is "good", "bad" or "", and `kept` a body that is too long to be edited, of
// which `text` is the beginning. `format` writes JSON with one field a line.
function bodyEditor({ name = "body", label = "Body", rows = 8, typed, format }) {
  const area = el("textarea", { class: "kq-area", id: uniqueId(), rows, spellcheck: "false", oninput: () => { area.written = null; typed({ [name]: area.value }); } });
  const said = el("p", { class: "kq-say", id: uniqueId(), role: "status" });
  const as = segment({ name: `${name}_as`, label: `${label} as`, choices: BODY_KINDS, typed: (choice) => { area.readOnly = false; typed(choice); } });
  const tidy = button({ name: "Format JSON", glyph: "braces", title: "Format JSON: one field a line", look: "icon", bare: true, act: format });
  area.setAttribute("aria-describedby", said.id);
  const say = (tone, text) => {
    if (said.dataset.text === `${tone} ${text}`) return;
    said.dataset.text = `${tone} ${text}`;
    said.className = `kq-say ${tone}`;
    said.replaceChildren(...(tone ? [icon(tone === "bad" ? "bad" : "check")] : []), el("span", {}, text));
    area.setAttribute("aria-invalid", String(tone === "bad"));
  };
  let state = { note: "", tone: "" };
  const set = (value) => {
    state = value;
    put(area, state.text);
    area.readOnly = Boolean(state.kept);
    as.write(state.as);
    show(tidy, state.as === "json");
    say(state.tone, state.note);
  };
  const wrong = (text) => (text ? say("bad", text) : say(state.tone, state.note));
  const node = el("div", { class: "kq-body" }, el("label", { class: "kq-label", for: area.id }, label), area, el("div", { class: "under" }, said, el("div", { class: "kq-join" }, as.node, tidy)));
  return { name, node, area, read: () => area.value, write: set, wrong, focus: () => area.focus() };
}
