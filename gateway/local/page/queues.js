// Filas: how each queue stands, and the deliveries that were given up, with a way to try them again.
import { ago, el, json, number } from "./dom.js";
import { listen } from "./live.js";
import { call, session, watch } from "./session.js";
import { now } from "./time.js";

let body, timer, shown;

export function draw(section) {
  body = el("div", { class: "stack" });
  section.replaceChildren(el("h1", {}, "Filas"), el("p", { class: "soft" },
    "O PostgreSQL guarda cada entrega; o Redis só toca a campainha. Uma entrega morre depois da última tentativa e espera aqui por uma pessoa."), body);
  watch(() => refresh());
}
export function entered() { timer = setInterval(refresh, 2000); refresh(); }
export function left() { clearInterval(timer); }

export function countDead() {
  const look = async () => {
    const text = await fetch("/metrics").then((answer) => answer.text()).catch(() => "");
    const dead = [...text.matchAll(/^somos_deliveries_dead\{.*\} (\S+)$/gm)].reduce((sum, one) => sum + Number(one[1]), 0);
    const badge = document.getElementById("dead-badge");
    badge.hidden = !dead;
    badge.textContent = dead;
  };
  look();
  setInterval(look, 10_000);
  listen((message) => { if (message.type === "resync") look(); });
}

async function refresh() {
  if (!body || body.closest("section").hidden) return;
  if (!session()) return body.replaceChildren(el("p", { class: "card soft" }, "Entre como Admin ou Diretor para ver as filas."));
  const [queues, dead] = await Promise.all([call("GET", "/api/v1/mesh/queues"), call("GET", "/api/v1/mesh/dead?limit=50")]);
  if (!queues.ok) return body.replaceChildren(el("p", { class: "card soft" }, queues.body?.detail ?? "As filas não responderam."));
  const content = JSON.stringify([session().role, dead.body]);
  // The list stays as it is while it says the same, so that what is open or being read stays.
  const list = content === shown?.content && shown.list.isConnected ? shown.list : deadList(dead.body?.items ?? []);
  shown = { content, list };
  if (list.isConnected) body.firstChild.replaceWith(table(queues.body));
  else body.replaceChildren(table(queues.body), list);
}

function table({ queues, done_last_minute: done, relay_seen_at: beat }) {
  const most = Math.max(1, ...queues.map((queue) => queue.waiting));
  const silent = !beat || now() - new Date(beat) > 15_000;
  return el("div", { class: "card" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", {}, "Fila"), ...["Esperando", "Para agora", "Mortas"].map((name) => el("th", { class: "number" }, name)), el("th", { class: "number" }, "A mais antiga"))),
    el("tbody", {}, queues.map((queue) => el("tr", {},
      el("td", {}, el("b", {}, queue.queue), el("div", { class: "bar" }, el("i", { style: `width:${(100 * queue.waiting) / most}%` }))),
      ...[queue.waiting, queue.due].map((value) => el("td", { class: "number" }, number(value))),
      el("td", { class: `number${queue.dead ? " error" : ""}` }, number(queue.dead)),
      el("td", { class: "number soft" }, queue.oldest_due_at ? ago(queue.oldest_due_at) : "—"))))),
  el("p", { class: "small soft" }, `${number(done)} entregas feitas no último minuto · `,
    el("span", { class: `dot ${silent ? "bad" : "ok"}` }), silent ? "o relay está calado: só a campainha acorda os workers" : "relay no ar"));
}

function deadList(items) {
  if (!items.length) return el("p", { class: "card soft" }, "Nenhuma entrega morta.");
  return el("div", { class: "card" }, el("h2", {}, "Entregas mortas"), el("table", {}, el("tbody", {}, items.map((one) => el("tr", {},
    el("td", {}, details(one)), el("td", { class: "number" }, replay(one)))))));
}

function details(one) {
  const more = el("pre", { class: "answer" }, "…");
  const load = async () => { more.replaceChildren(...json((await call("GET", `/api/v1/mesh/dead/${one.id}`)).body)); };
  return el("details", { ontoggle: load }, el("summary", {}, el("b", {}, one.function), ` ← ${one.type} `,
    el("span", { class: "soft small" }, `${ago(one.dead_at)} · ${one.attempts} tentativas`),
    el("div", { class: "error small mono" }, (one.last_error ?? "").split("\n")[0].slice(0, 200))), more);
}

function replay(one) {
  const may = session()?.role === "Admin";
  return el("button", {
    class: "button", disabled: !may, title: may ? "" : "Só um Admin repete entregas",
    async onclick(event) {
      event.target.disabled = true;
      const answer = await call("POST", `/api/v1/mesh/dead/${one.id}/replay`);
      if (!answer.ok) event.target.replaceWith(el("span", { class: "error small" }, answer.body?.detail ?? "Não deu certo"));
      else refresh();
    },
  }, "Tentar de novo");
}
