// What a hand changes here and the kernel takes over after a pause. Until the kernel says the same, or
// something new, it stays as the hand left it: no row that comes meanwhile takes typed letters away.

const TYPING_PAUSE = 120; // ms after the last letter, before the kernel searches all that is held

// `read()` is what stands here, `told()` what the kernel says of it, both as text.
function inHand({ read, told, send }) {
  const hand = { timer: 0, wanted: null, before: null };
  hand.keep = () => { clearTimeout(hand.timer); Object.assign(hand, { timer: 0, wanted: read(), before: told() }); };
  hand.change = () => { hand.keep(); hand.timer = setTimeout(hand.send, TYPING_PAUSE); };
  hand.send = () => {
    if (!hand.timer) return;
    clearTimeout(hand.timer);
    hand.timer = 0;
    send(hand.wanted);
  };
  hand.rests = () => {
    if (!hand.timer && (told() === hand.wanted || told() !== hand.before)) hand.before = null;
    return hand.before === null;
  };
  return hand;
}

// A field that narrows what is held.
function searchField(view, { placeholder, name, typed = () => {} }) {
  const node = el("input", { class: "kq-input", type: "search", placeholder, "aria-label": name });
  const hand = inHand({ read: () => node.value.trim(), told: () => view.model.get("choices").filter, send: (text) => view.send("filter", { text }) });
  const change = () => { hand.change(); typed(); };
  node.addEventListener("input", change);
  node.addEventListener("blur", hand.send);
  return { node, hand, clear: () => { node.value = ""; change(); } };
}

function paintSearch({ node, hand }, text) {
  if (hand.rests() && document.activeElement !== node) node.value = text;
}
