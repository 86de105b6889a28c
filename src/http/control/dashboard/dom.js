// Helpers that build elements without markup, so that everything from the mock is inserted as text.

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

// Updates the children of a list to match the items. Existing children are kept, so that they do not lose the focus.
export const keep = (list, items, key, make, update = () => {}) => {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const name = String(key(item));
    const child = before.get(name) ?? make(item);
    child.dataset.key = name;
    // If two items share a key, the first one keeps the child.
    before.delete(name);
    update(child, item);
    return child;
  });
  const kept = new Set(children);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  children.forEach((child, at) => {
    if (list.children[at] !== child) list.insertBefore(child, list.children[at] ?? null);
  });
};

// Shows a note, which screen readers announce.
export const note = (text) => { find("#note").textContent = text; };

// Copies the text of a field. Pages from other machines may not use the Clipboard API over plain HTTP.
export const copy = async (field) => {
  field.select();
  const isCopied = navigator.clipboard
    ? await navigator.clipboard.writeText(field.value).then(() => true, () => false)
    : document.execCommand("copy");
  note(isCopied ? "Copied." : "The browser did not allow copying. The text is selected; copy it with the keyboard.");
};

// The values of a form, by the names of its fields.
export const said = (form) => Object.fromEntries(new FormData(form));
