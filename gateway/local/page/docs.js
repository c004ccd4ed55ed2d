// API: Swagger UI over the derived OpenAPI, signed in as whoever this page is.
import { el } from "./dom.js";
import { session } from "./session.js";

const WORDS = {
  "Try it out": "Experimentar", "Cancel": "Cancelar", "Execute": "Enviar", "Clear": "Limpar", "Parameters": "Parâmetros",
  "Responses": "Respostas", "Response body": "Corpo", "Response headers": "Cabeçalhos", "Request body": "Corpo do pedido",
  "No parameters": "Sem parâmetros", "Server response": "Resposta", "Code": "Código", "Details": "Detalhes", "Description": "Descrição",
  "Example Value": "Exemplo", "Schema": "Esquema", "Request URL": "Endereço", "Name": "Nome", "Links": "Ligações", "No links": "",
  "Default value": "Padrão", "Available values": "Valores", "Example": "Exemplo", "Media type": "Formato", "Download": "Baixar", "Loading": "Esperando", "Controls ": "", "Schemas": "Esquemas", "Reset": "Refazer",
};
let ready;

export function draw() {
  document.head.append(el("link", { rel: "stylesheet", href: "swagger/swagger-ui.css" }));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
  ready = new Promise((done, failed) => document.head.append(
    el("script", { src: "swagger/swagger-ui-bundle.js", onload: () => show(done), onerror: failed })));
  ready.catch(() => document.getElementById("swagger").replaceChildren(
    el("p", { class: "wait" }, "O pacote flask-swagger-ui não está instalado; a descrição da API está em /openapi.json.")));
}

export async function entered(operation) {
  await ready;
  if (operation) open(operation);
}

function show(done) {
  window.SwaggerUIBundle({
    url: "/openapi.json", dom_id: "#swagger", docExpansion: "none", filter: true, defaultModelsExpandDepth: -1,
    displayRequestDuration: true, tryItOutEnabled: true, tagsSorter: "alpha", syntaxHighlight: { theme: "nord" }, validatorUrl: null,
    requestInterceptor(request) {
      if (session() && !request.headers.Authorization) request.headers.Authorization = `Bearer ${session().token}`;
      return request;
    },
    onComplete() { translate(); done(); },
  });
}

function open(operation) {
  const ui = document.querySelector("#swagger");
  for (const tag of ui.querySelectorAll('.opblock-tag[data-is-open="false"]')) {
    if (operation.startsWith(`${tag.dataset.tag}_`)) tag.click();
  }
  let tries = 60;
  const look = () => {
    const block = ui.querySelector(`[id$="-${CSS.escape(operation)}"]`);
    if (!block) return tries-- && setTimeout(look, 30);
    if (!block.classList.contains("is-open")) block.querySelector("button")?.click();
    scrollTo({ top: block.getBoundingClientRect().top + scrollY - 70 });
  };
  look();
}

// Swagger UI speaks English only; its fixed words are few.
function translate() {
  const ui = document.getElementById("swagger");
  const say = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const word = WORDS[node.data.trim()];
      if (word !== undefined && !node.parentElement.closest("pre, code, .markdown")) node.data = word;
    }
    for (const field of root.querySelectorAll?.('input[placeholder^="Filter by"]') ?? []) field.placeholder = "Filtrar por módulo ou caminho";
  };
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => {
    if (node.nodeType === Node.TEXT_NODE) say(node.parentElement ?? ui);
    else say(node);
  }))).observe(ui, { childList: true, subtree: true });
  say(ui);
}
