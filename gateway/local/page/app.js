// The frame: sections, who is signed in, and what each section needs to draw itself.
import { el } from "./dom.js";
import * as docs from "./docs.js";
import * as home from "./home.js";
import * as live from "./live.js";
import * as map from "./map.js";
import * as queues from "./queues.js";
import { signIn, signOut, watch } from "./session.js";

const sections = { inicio: home, api: docs, mapa: map, filas: queues, "ao-vivo": live };
const drawn = new Set();
let shown = null;

function open() {
  const [name, rest] = location.hash.slice(1).split("/", 2);
  const wanted = name in sections ? name : "inicio";
  if (shown && shown !== wanted) sections[shown].left?.();
  for (const id of Object.keys(sections)) document.getElementById(id).hidden = id !== wanted;
  for (const link of document.querySelectorAll("#tabs a")) {
    if (link.hash === `#${wanted}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!drawn.has(wanted)) { drawn.add(wanted); sections[wanted].draw(document.getElementById(wanted)); }
  sections[wanted].entered?.(rest && decodeURIComponent(rest));
  shown = wanted;
}

const dialog = document.getElementById("sign-in");
export function askToSignIn() {
  const email = el("input", { type: "email", required: true, autocomplete: "username" });
  const password = el("input", { type: "password", required: true, autocomplete: "current-password" });
  const refused = el("p", { class: "error small", role: "alert" });
  dialog.replaceChildren(el("form", {
    method: "dialog",
    async onsubmit(event) {
      event.preventDefault();
      try { await signIn(email.value, password.value); dialog.close(); } catch (error) { refused.textContent = error.message; }
    },
  }, el("h2", {}, "Entrar"), el("label", {}, "E-mail", email), el("label", {}, "Senha", password), refused,
  el("button", { class: "button strong" }, "Entrar")));
  dialog.showModal();
}

watch((session) => {
  document.getElementById("who").replaceChildren(...(session
    ? [el("div", {}, session.name, el("small", {}, session.role)), el("button", { class: "button", onclick: signOut }, "Sair")]
    : [el("button", { class: "button strong", onclick: askToSignIn }, "Entrar")]));
});
addEventListener("hashchange", open);
live.connect();
queues.countDead();
open();
