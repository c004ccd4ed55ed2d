// Ao vivo: what /ws says to whoever is signed in. The tally light is red while the line is open.
import { clock, el } from "./dom.js";
import { session, watch } from "./session.js";
import { now } from "./time.js";

const KEPT = 300;
const heard = [];
const listeners = new Set();
let socket, unseen = 0, list, state, retry, wait = 500, looking = false;

export const listen = (told) => listeners.add(told);

export function connect() {
  let user = null;
  watch((signedIn) => {
    if (signedIn && socket?.readyState === WebSocket.OPEN && signedIn.id === user) socket.send(JSON.stringify({ token: signedIn.token }));
    else if (signedIn?.id !== user) { user = signedIn?.id; clearTimeout(retry); socket?.close(); if (signedIn) open(); }
    tell();
  });
}

function open() {
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket = mine;
  mine.onopen = () => mine.send(JSON.stringify({ token: session()?.token }));
  mine.onmessage = (event) => { if (mine === socket) hear(JSON.parse(event.data)); };
  mine.onclose = (event) => {
    if (mine !== socket) return;
    socket = null;
    tell(event.reason);
    if (session()) { retry = setTimeout(open, wait); wait = Math.min(wait * 2, 8000); }
  };
}

function hear(message) {
  if (message.type === "ready") { wait = 500; tell(); return; }
  if (["refreshed", "pong"].includes(message.type)) return;
  heard.unshift({ ...message, heard: message.at ?? now() });
  heard.length = Math.min(heard.length, KEPT);
  const tally = document.getElementById("tally");
  tally.classList.remove("beat");
  void tally.offsetWidth;
  tally.classList.add("beat");
  if (!looking) { unseen += 1; badge(); }
  if (list) { list.querySelector(".empty")?.remove(); list.prepend(line(heard[0], true)); if (list.children.length > KEPT) list.lastChild.remove(); }
  listeners.forEach((told) => told(message));
}

function tell(why) {
  const on = socket?.readyState === WebSocket.OPEN;
  const tally = document.getElementById("tally");
  tally.classList.toggle("on", on);
  tally.title = on ? "Tempo real ligado" : "Tempo real desligado";
  if (state) {
    state.textContent = on ? `Ouvindo como ${session().name} (${session().role}).`
      : session() ? `Reconectando… ${why ?? ""}` : "Entre para ouvir; cada pessoa só ouve o que é dela ou do seu papel.";
  }
}

function badge() {
  const shown = document.getElementById("live-badge");
  shown.hidden = !unseen;
  shown.textContent = unseen > 99 ? "99+" : unseen;
}

function line(message, fresh) {
  return el("li", { class: fresh ? "new" : "" }, el("time", {}, clock(message.heard)), el("b", {}, message.type),
    el("code", {}, message.data ? JSON.stringify(message.data) : ""));
}

export function draw(section) {
  state = el("p", { class: "soft" });
  list = el("ul", { class: "log" }, heard.length ? heard.map((message) => line(message)) :
    el("li", { class: "empty" }, "Nada ainda. Comece uma busca ou mova um negócio e veja chegar aqui."));
  section.replaceChildren(el("h1", {}, "Ao vivo"), state, el("div", { class: "card" }, list));
  tell();
}
export function entered() { looking = true; unseen = 0; badge(); }
export function left() { looking = false; }
