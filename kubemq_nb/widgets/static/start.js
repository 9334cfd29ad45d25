// Where to begin: six choices, three of them with a field. Nothing changes before Start again.

const STARTS = [["new", "New"], ["first", "First"], ["last", "Last"], ["sequence", "Sequence"], ["time", "Time"], ["ago", "Ago"]];
const EXAMPLES = { sequence: "1200", time: "2013-01-31 23:59", ago: "10m" };
const UNITS = { sequence: "A sequence", time: "A time in UTC", ago: "A span such as 30s, 10m or 2h" };

function startPicker(view) {
  if (!view.model.get("choices").began) return null;
  const picker = {};
  const group = uniqueId();
  const change = () => { showField(picker.field, picked(picker).choice); picker.hand.change(); };
  picker.radios = STARTS.map(([value]) => el("input", { type: "radio", name: group, value, onchange: change }));
  const labels = STARTS.map(([, word], place) => el("label", {}, picker.radios[place], word));
  picker.field = el("input", { class: "kq-input", "aria-label": "Start value", oninput: change });
  picker.hand = inHand({
    read: () => JSON.stringify(picked(picker)),
    told: () => JSON.stringify(saidOf(view.model.get("choices"))),
    send: (start) => view.send("start", JSON.parse(start)),
  });
  picker.node = el("fieldset", { class: "kq-start" }, el("legend", { class: "sr" }, "Start position"),
    el("span", { class: "kq-label", "aria-hidden": "true" }, "Start"), el("div", { class: "kq-seg six" }, ...labels), picker.field);
  return picker;
}

function picked({ radios, field }) {
  const { value: choice } = radios.find((radio) => radio.checked);
  return { choice, text: choice in EXAMPLES ? field.value : "" };
}

function saidOf({ start: choice, text }) {
  return { choice, text };
}

// What Start again sends.
function chosenStart({ start }) {
  start?.hand.keep();
  return start ? picked(start) : {};
}

function showField(field, choice) {
  show(field, choice in EXAMPLES);
  field.placeholder = EXAMPLES[choice] ?? "";
  field.title = UNITS[choice] ?? "";
  field.classList.toggle("num", choice === "sequence");
  field.style.width = choice === "time" ? "176px" : "80px";
}

function paintStart({ radios, field, hand }, { start, text }) {
  if (!hand.rests()) return;
  for (const radio of radios) radio.checked = radio.value === start;
  if (document.activeElement !== field) field.value = text;
  showField(field, start);
}
