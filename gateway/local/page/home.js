// Início: what this is, how it stands, who one can be, and a first request.
import { el, json, number } from "./dom.js";
import { call, session, signIn, watch } from "./session.js";

const STORY = [
  ["Perfil de cliente ideal", "Uma pessoa descreve quem procura.", ["POST /api/v1/icp-profiles"]],
  ["Busca", "Funções leem Google, Maps e os sites, pontuam com evidência e guardam leads.", ["POST /api/v1/hunter/search", "GET /api/v1/leads"]],
  ["Campanha", "Uma mensagem por lead, escrita a partir do que se sabe dele.", ["POST /api/v1/sdr/campaign", "GET /api/v1/outreach-messages"]],
  ["Aprovação", "Nada sai sem uma pessoa aprovar aquele texto, para aquela pessoa, naquele canal.", ["POST /api/v1/outreach-messages/{id}/approve"]],
  ["Resposta", "O que volta por WhatsApp ou e-mail é guardado e classificado; “parar” vale para sempre.", ["POST /webhook/whatsapp", "GET /api/v1/responses"]],
  ["Negócio", "Quem quer conversar vira negócio no funil, uma vez só, e o dono é avisado na hora.", ["GET /api/v1/deals", "GET /api/v1/deals/board"]],
];
const FIRST = ["/api/v1/auth/me", "/api/v1/deals?limit=5", "/api/v1/leads?limit=5", "/api/v1/outreach-messages?limit=5",
  "/api/v1/mesh/queues", "/health", "/health/integrations"];
let parts, tiles;

export async function draw(section) {
  const [api, map, people] = await Promise.all(["/openapi.json", "/map.json", "/_local/people"].map(get));
  const operations = Object.values(api.paths).flatMap(Object.keys).length;
  tiles = { waiting: el("b", {}, "–"), dead: el("b", {}, "–") };
  parts = el("p", { class: "small soft" });
  section.replaceChildren(
    el("div", { class: "hero" },
      el("div", {}, el("h1", {}, "De um perfil de cliente a um negócio aberto."),
        el("p", {}, "Cada endereço, webhook, passo e relógio da Somos é uma função pequena. Esta página mostra todas, deixa chamá-las e acompanha o que fazem.")),
      el("div", {}, el("div", { class: "tiles" },
        tile(el("b", {}, number(map.functions.length)), "funções"), tile(el("b", {}, number(operations)), "operações"),
        tile(tiles.waiting, "na fila"), tile(tiles.dead, "mortas")), parts)),
    el("div", { class: "cols" },
      el("div", { class: "stack" }, who(people), first(api)),
      el("div", { class: "card" }, el("h2", {}, "O caminho de uma venda"), story(api))));
  refresh();
}

let timer;
export function entered() { timer = setInterval(refresh, 5000); if (parts) refresh(); }
export function left() { clearInterval(timer); }

const get = (path) => fetch(path).then((answer) => answer.json());
const tile = (value, name) => el("div", { class: "tile" }, value, el("span", {}, name));

async function refresh() {
  const health = await get("/health").catch(() => null);
  if (!parts) return;
  const names = { gateway: "gateway", database: "banco", relay: "relay", redis: "redis" };
  parts.replaceChildren(...Object.entries(names).flatMap(([key, name]) => [
    el("span", { class: `dot ${health?.parts[key]?.ok ? "ok" : "bad"}` }), `${name}   `]));
  const text = await fetch("/metrics").then((answer) => answer.text()).catch(() => "");
  for (const [name, tile] of Object.entries(tiles)) {
    const found = [...text.matchAll(new RegExp(`^somos_deliveries_${name}\\{.*\\} (\\S+)$`, "gm"))];
    tile.textContent = number(found.reduce((sum, one) => sum + Number(one[1]), 0));
  }
}

function who({ people, password }) {
  const list = el("div", { class: "people" });
  const refused = el("p", { class: "error small", role: "alert" });
  const show = () => list.replaceChildren(...people.map((one) => el("button", {
    class: `button person${session()?.email === one.email ? " on" : ""}`,
    async onclick() { refused.textContent = ""; try { await signIn(one.email, password); } catch (error) { refused.textContent = error.message; } },
  }, el("i", {}, one.name.split(" ").map((word) => word[0]).join("").slice(0, 2)),
  el("span", {}, one.name, el("small", {}, `${one.role} · ${one.email}`)))));
  watch(show);
  return el("div", { class: "card" }, el("h2", {}, "Ver como"),
    people.length ? list : el("p", { class: "soft" }, "Use “Entrar”, no alto da página, com uma conta desta instalação."), refused);
}

function first(api) {
  const known = FIRST.filter((path) => path.startsWith("/health") || api.paths[path.split("?")[0]]);
  const choice = el("select", { "aria-label": "Pedido" }, known.map((path) => el("option", {}, path)));
  const told = el("p", { class: "small soft" });
  const shown = el("pre", { class: "answer", hidden: true });
  const run = async () => {
    const answer = await call("GET", choice.value);
    told.textContent = `${answer.status} em ${answer.ms.toFixed(0)} ms`;
    shown.hidden = false;
    shown.replaceChildren(...json(answer.body));
  };
  return el("div", { class: "card" }, el("h2", {}, "Um primeiro pedido"),
    el("div", { class: "try" }, el("span", { class: "method GET", style: "align-self:center" }, "GET"), choice,
      el("button", { class: "button strong", onclick: run }, "Pedir")), told, shown);
}

function story(api) {
  const exists = (one) => { const [method, path] = one.split(" "); return api.paths[path]?.[method.toLowerCase()]; };
  return el("ol", { class: "path" }, STORY.map(([name, what, calls]) => el("li", {}, el("div", {},
    el("b", {}, name), el("br"), el("span", {}, what), el("br"),
    calls.filter(exists).map((one) => el("a", { href: `#api/${encodeURIComponent(exists(one).operationId)}` }, one))))));
}
