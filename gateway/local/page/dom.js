import { now } from "./time.js";

// Elements without innerHTML: what came from outside is always text.
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.flat(Infinity).filter(Boolean));
  return made;
}

// JSON with its keys and values coloured, as text nodes.
export function json(value) {
  const text = JSON.stringify(value, null, 2) ?? "";
  const parts = [];
  let last = 0;
  for (const found of text.matchAll(/("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?/g)) {
    parts.push(text.slice(last, found.index));
    const kind = found[1] ? (found[2] ? "json-key" : "json-text") : "json-other";
    parts.push(el("span", { class: kind }, found[1] ?? found[0]), found[2] ?? "");
    last = found.index + found[0].length;
  }
  return [...parts, text.slice(last)];
}

export const number = (value) => new Intl.NumberFormat("pt-BR").format(value);
export const clock = (at) => new Date(at).toLocaleTimeString("pt-BR", { hour12: false });
export function ago(at) {
  const seconds = Math.max(0, Math.round((now() - new Date(at)) / 1000));
  if (seconds < 60) return `há ${seconds} s`;
  if (seconds < 3600) return `há ${Math.round(seconds / 60)} min`;
  return seconds < 86400 ? `há ${Math.round(seconds / 3600)} h` : new Date(at).toLocaleDateString("pt-BR");
}
