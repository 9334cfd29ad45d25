// A view inside a view: the kernel says which, the page's own widget manager makes it.

function childPane() {
  return el("div", { class: "kq-child", hidden: true });
}

async function paintChild(view) {
  const id = view.model.get("child");
  if (view.childId === id) return;
  view.childId = id;
  view.childView?.remove();
  view.childView = null;
  view.child.replaceChildren();
  show(view.child, Boolean(id));
  if (!id) return;
  const { title } = view.model.get("pane");
  const close = button({ name: "Close", glyph: "close", title: "Close this pane; what it began ends", look: "quiet", act: () => view.send("close") });
  const bar = el("div", { class: "kq-pane-head" }, el("h4", { class: "cut", title }, title), el("div", { class: "kq-acts" }, close));
  const manager = view.model.widget_manager;
  try {
    const child = await manager.create_view(await manager.get_model(id.replace("IPY_MODEL_", "")));
    if (view.childId !== id) return void child.remove();
    view.childView = child;
    view.child.replaceChildren(bar, child.el);
    view.child.scrollIntoView({ block: "nearest" });
  } catch { // the kernel that had it is gone
    show(view.child, false);
  }
}
