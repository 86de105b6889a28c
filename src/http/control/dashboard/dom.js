// Elements without markup: whatever comes from the mock is text.

export const find = (selector) => document.querySelector(selector);

export const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

// A table's cell.
export const cell = (...content) => element("td", {}, ...content);

export const button = (text, label, act) => {
  const made = element("button", { type: "button", textContent: text, ariaLabel: label });
  made.addEventListener("click", act);
  return made;
};

// Makes the children of a list those of the items. One that is there already stays, with the focus that it may have.
export const keep = (list, items, key, make, update = () => {}) => {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const name = String(key(item));
    const child = before.get(name) ?? make(item);
    child.dataset.key = name;
    // What two items have in common belongs to the first.
    before.delete(name);
    update(child, item);
    return child;
  });
  const there = new Set(children);
  for (const child of [...list.children]) if (!there.has(child)) child.remove();
  children.forEach((child, at) => {
    if (list.children[at] !== child) list.insertBefore(child, list.children[at] ?? null);
  });
};

// What a screen reader and everybody else is told in passing.
export const note = (text) => { find("#note").textContent = text; };

// Copies what is in a field. Pages that are not from this machine may not use the clipboard's own interface.
export const copy = async (field) => {
  field.select();
  const isCopied = navigator.clipboard
    ? await navigator.clipboard.writeText(field.value).then(() => true, () => false)
    : document.execCommand("copy");
  note(isCopied ? "Copied." : "The browser does not let the page copy; the text is selected, copy it by the keyboard.");
};

// What a form says, by the names of its fields.
export const said = (form) => Object.fromEntries(new FormData(form));
