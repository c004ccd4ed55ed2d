// Mapa: modules as columns, functions and events as nodes, arrows from who states a fact to who acts on it.
import { el, svg } from "./dom.js";

const FUNCTION = 208, EVENT = 138, NEAR = 62, APART = 58, ROW = 33, TOP = 44, MARGIN = 18;
const KINDS = { http: "endereço", webhook: "webhook", timer: "relógio", step: "passo" };
const ORDER = ["hunter", "sdr", "crm"];
let drawing, panel, data, places;

export async function draw(section) {
  data = await fetch("/map.json").then((answer) => answer.json());
  drawing = el("div", { class: "card map-scroll" });
  panel = el("aside", { class: "card" });
  const every = el("input", { type: "checkbox", id: "every", onchange: () => paint(every.checked) });
  const find = el("input", { type: "search", placeholder: "Procurar função, evento ou rota", oninput: () => seek(find.value) });
  section.replaceChildren(el("h1", {}, "Mapa"),
    el("div", { class: "map-bar" }, find, el("label", { class: "small" }, every, " mostrar também quem não emite nem consome eventos")),
    el("div", { class: "map" }, drawing, panel));
  paint(false);
  explain();
}

export function entered(name) { if (name && data) choose(name); }

function paint(everyone) {
  const joined = data.functions.filter((one) => everyone || one.emits.length || one.consumes.length || one.kind !== "http");
  const modules = [...new Set([...joined, ...data.events].map((one) => one.module))]
    .sort((a, b) => (ORDER.indexOf(a) + 1 || 99) - (ORDER.indexOf(b) + 1 || 99) || a.localeCompare(b));
  places = new Map();
  const nodes = [];
  let x = MARGIN, height = 0;
  for (const module of modules) {
    nodes.push(svg("text", { x, y: 26, class: "heading", style: `fill:${colour(module)}` }, module));
    const kinds = Object.keys(KINDS);
    const own = joined.filter((one) => one.module === module)
      .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.name.localeCompare(b.name));
    own.forEach((one, row) => nodes.push(functionNode(one, x, TOP + row * ROW)));
    x += FUNCTION;
    const facts = data.events.filter((one) => one.module === module);
    if (facts.length) {
      x += NEAR;
      spread(facts, own).forEach(([event, y]) => nodes.push(eventNode(event, x, y)));
      x += EVENT;
    }
    x += APART;
    height = Math.max(height, TOP + own.length * ROW, TOP + facts.length * ROW);
  }
  drawing.replaceChildren(svg("svg", { viewBox: `0 0 ${x - APART + MARGIN} ${height + MARGIN}`, style: `min-width:${Math.round(x * 0.72)}px`, role: "group", "aria-label": "Funções e eventos" },
    svg("defs", {}, svg("marker", { id: "head", viewBox: "0 0 6 6", refX: 5.5, refY: 3, markerWidth: 5, markerHeight: 5, orient: "auto" }, svg("path", { d: "M0 0L6 3L0 6z", fill: "context-stroke" }))),
    ...arrows(joined), ...nodes));
  drawing.firstChild.addEventListener("click", (event) => { if (event.target === drawing.firstChild) clear(); });
}

const colour = (module) => `var(--${module}, var(--ink))`;

// Each fact at the height of those who state it, without two in one place.
function spread(facts, own) {
  const wanted = facts.map((event) => {
    const rows = own.flatMap((one, row) => (one.emits.includes(event.type) || one.consumes.includes(event.type) ? [row] : []));
    return [event, TOP + ROW * (rows.length ? rows.reduce((sum, row) => sum + row, 0) / rows.length : 0)];
  }).sort((a, b) => a[1] - b[1]);
  const last = TOP + Math.max(own.length - 1, facts.length - 1) * ROW;
  wanted.forEach((one, at) => { one[1] = Math.max(one[1], at ? wanted[at - 1][1] + ROW : TOP); });
  for (let at = wanted.length - 1; at >= 0; at--) wanted[at][1] = Math.min(wanted[at][1], last - (wanted.length - 1 - at) * ROW);
  return wanted;
}

function node(name, kind, place, draws) {
  places.set(name, place);
  const made = svg("g", { tabindex: 0, class: kind, "data-name": name, "aria-label": name }, ...draws);
  return listen(made, name);
}
function functionNode(one, x, y) {
  const short = one.name.slice(one.module.length + 1);
  return node(one.name, "node", { x, y: y + 13, width: FUNCTION }, [
    svg("rect", { x, y, width: FUNCTION, height: 26 }),
    svg("rect", { x, y: y + 5, width: 3, height: 16, class: "stripe", style: `fill:${colour(one.module)}` }),
    svg("text", { x: x + 11, y: y + 17 }, short.length > 23 ? `${short.slice(0, 22)}…` : short),
    svg("text", { x: x + FUNCTION - 7, y: y + 17, "text-anchor": "end", class: "kind" }, KINDS[one.kind])]);
}
function eventNode(event, x, y) {
  return node(event.type, "event", { x, y: y + 13, width: EVENT }, [
    svg("rect", { x, y: y + 1, width: EVENT, height: 24, style: `fill:${colour(event.module)}` }),
    svg("text", { x: x + EVENT / 2, y: y + 17, "text-anchor": "middle", style: `fill:${colour(event.module)}` }, event.type.split(".")[1])]);
}
function listen(made, name) {
  made.addEventListener("click", () => choose(name));
  made.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(name); } });
  return made;
}

function arrows(joined) {
  const made = [];
  for (const one of joined) {
    for (const type of one.emits) made.push(arrow(one.name, type, type));
    for (const type of one.consumes) made.push(arrow(type, one.name, type));
  }
  return made;
}
function arrow(from, to, type) {
  const a = places.get(from), b = places.get(to);
  if (!a || !b) return null;
  // Out of the side that faces the other, and in again the same way.
  const forth = a.x < b.x, x1 = forth ? a.x + a.width : a.x, x2 = forth ? b.x - 2 : b.x + b.width + 2;
  const bend = Math.max(30, Math.abs(x2 - x1) / 2) * (forth ? 1 : -1);
  return svg("path", {
    d: `M${x1} ${a.y} C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2} ${b.y}`, class: "arrow", "marker-end": "url(#head)",
    style: `stroke:${colour(type.split(".")[0])}`, "data-from": from, "data-to": to, "data-type": type,
  });
}

function choose(name) {
  const picture = drawing.firstChild, lines = [...picture.querySelectorAll(".arrow")];
  const one = data.functions.find((each) => each.name === name), event = data.events.find((each) => each.type === name);
  // Through a function's facts, also those at their other ends.
  const near = ({ dataset: { from, to, type } }) => from === name || to === name
    || (one && ((one.emits.includes(type) && from === type) || (one.consumes.includes(type) && to === type)));
  const lit = new Set([name]);
  for (const line of lines) {
    line.classList.toggle("lit", near(line));
    if (near(line)) lit.add(line.dataset.from).add(line.dataset.to);
  }
  for (const group of picture.querySelectorAll("g[tabindex]")) {
    group.classList.toggle("lit", lit.has(group.dataset.name));
    group.classList.toggle("picked", group.dataset.name === name);
  }
  picture.classList.add("chosen");
  if (one || event) explain(one ?? event);
}
function clear() {
  const picture = drawing.firstChild;
  picture.classList.remove("chosen");
  picture.querySelectorAll(".lit, .picked").forEach((one) => one.classList.remove("lit", "picked"));
  explain();
}
function seek(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return clear();
  const fits = (one) => [one.name ?? one.type, ...(one.routes ?? [])].some((word) => word.toLowerCase().includes(wanted));
  const found = data.functions.find((one) => fits(one) && places.has(one.name)) ?? data.events.find(fits);
  if (found) {
    choose(found.name ?? found.type);
    drawing.querySelector(`[data-name="${CSS.escape(found.name ?? found.type)}"]`)?.scrollIntoView({ block: "center", inline: "center" });
  }
}

function explain(one) {
  if (!one) {
    panel.replaceChildren(el("h2", {}, "Como ler"), el("p", { class: "soft small" },
      "Cada coluna é um módulo: à esquerda as suas funções, à direita os fatos que ele afirma. As setas vão de quem emite ao fato, e do fato a quem age."),
    el("p", { class: "soft small" }, "Escolha uma função ou um fato para acender o que o cerca e ler o arquivo."));
    return;
  }
  const link = (name) => el("dd", {}, el("a", { href: "#mapa", onclick(event) { event.preventDefault(); choose(name); } }, name));
  const part = (title, names, shown = (text) => el("dd", {}, text)) => names?.length ? [el("dt", {}, title), names.map(shown)] : [];
  const near = one.type ? { emits: data.functions.filter((each) => each.emits.includes(one.type)), acts: data.functions.filter((each) => each.consumes.includes(one.type)) } : null;
  panel.replaceChildren(el("h2", {}, one.name ?? one.type), el("p", { class: "small" }, one.doc), el("dl", {},
    part("Rotas", one.routes), part("Horários", one.schedules), part("Campos", one.fields),
    part("Consome", one.consumes, link), part("Emite", one.emits, link), part("Fala com", one.calls),
    part("Quem emite", near?.emits.map((each) => each.name), link), part("Quem age", near?.acts.map((each) => each.name), link),
    part("Arquivo", [one.file], (file) => el("dd", {}, el("a", { href: "#", onclick(event) { event.preventDefault(); read(file); } }, file)))));
}

async function read(file) {
  const text = await fetch(`/_local/source?file=${encodeURIComponent(file)}`).then((answer) => answer.text());
  const dialog = document.getElementById("sign-in");
  dialog.replaceChildren(el("h2", {}, file), el("pre", { class: "answer", style: "max-height:66vh" }, text),
    el("form", { method: "dialog" }, el("button", { class: "button" }, "Fechar")));
  dialog.showModal();
}
